"""Commands run in this process, each over a data folder of its own."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from provisioning.__main__ import main
from provisioning.app.build import build
from provisioning.config import load_config

Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """What a command left behind: its exit status and what it printed."""

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """Its standard output without the last line's end."""
        return self.output.decode().removesuffix("\n")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as the first start leaves it."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    build(load_config(None, {"PROVISIONING_DATA_DIR": str(folder)})).database.close()
    return folder


@pytest.fixture
def data(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that the environment names, and nothing else of the environment."""
    for name in [name for name in os.environ if name.startswith("PROVISIONING_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    monkeypatch.setenv("PROVISIONING_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def own_vendors(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for vendors of the operator's own."""
    folder = tmp_path / "vendors"
    folder.mkdir()
    monkeypatch.setenv("PROVISIONING_VENDOR_FOLDER", str(folder))
    return folder


@pytest.fixture
def run(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any
) -> Iterator[Callable[..., Ran]]:
    """Run a command as the shell would."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def ran(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["provisioning", *map(str, arguments)])
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsysbinary.readouterr()
        code, errors = ended.value.code, printed.err.decode()
        if isinstance(code, str):  # Python prints it and exits with 1
            code, errors = 1, f"{errors}{code}\n"
        return Ran(code or 0, printed.out, errors)

    yield ran
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
