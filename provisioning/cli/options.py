"""Options that many commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from provisioning.config import Config, load_config

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file; else PROVISIONING_CONFIG names it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_config(path: Path | None) -> Config:
    """The configuration of file and environment; raises BadConfig."""
    return load_config(path, os.environ)
