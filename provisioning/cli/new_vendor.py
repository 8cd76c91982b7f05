"""`provisioning new-vendor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.options import ConfigFile, read_config
from provisioning.domain.errors import InvalidInput
from provisioning.usecases.scaffold import new_vendor
from provisioning.vendors.registry import load_registry

app = typer.Typer()


@app.command("new-vendor")
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dialect's id, such as acme.")],
    into: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where to make it; else your vendor_folder."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Make a vendor folder that loads, renders and passes the check, and print its path."""
    settings = read_config(config)
    folder = into or settings.vendor_folder
    if folder is None:
        raise InvalidInput(
            "There is no vendor folder of your own.",
            remedy="Name one: --into FOLDER, or PROVISIONING_VENDOR_FOLDER.",
            field="into",
        )
    typer.echo(new_vendor(load_registry(settings.vendor_roots), name, folder))
