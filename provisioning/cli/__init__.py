"""The commands of `provisioning`: each does one thing and exits non-zero with one clear line.

A module of this package has one ``app``. With a name it is a group of commands (`cert install`);
without one its only command stands by itself (`serve`).
"""

from __future__ import annotations

import typer

from provisioning.cli import (
    cert,
    check,
    device,
    login,
    migrate,
    new_vendor,
    organisation,
    render,
    serve,
    sheet,
    simulate,
    token,
    user,
)
from provisioning.logs import configure_logs

_MODULES = (
    serve, check, render, simulate, organisation, device, user, login, token, sheet, migrate,
    new_vendor, cert,
)  # fmt: skip

app = typer.Typer(
    name="provisioning",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for module in _MODULES:
    app.add_typer(module.app)


@app.callback()
def _before_any_command() -> None:
    """Roost, a provisioning server for desk phones and DECT."""
    configure_logs("warning")
