"""`provisioning render`: the files of a device as it would get them now."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from provisioning.cli.device import DeviceName
from provisioning.cli.opened import OrganisationName, acting
from provisioning.cli.options import ConfigFile
from provisioning.cli.printing import moment
from provisioning.domain.effective import Effective
from provisioning.domain.roles import Permission
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.previews import explain, list_files, loss_report, preview

app = typer.Typer()


@app.command("render")
def render(
    device: DeviceName,
    *,
    file: Annotated[
        str | None, typer.Option("--file", metavar="NAME", help="One file; else all of them.")
    ] = None,
    explained: Annotated[
        bool, typer.Option("--explain", help="Say below each line where its values come from.")
    ] = False,
    mask: Annotated[bool, typer.Option("--mask", help="Hide passwords and tokens.")] = False,
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """Print a file byte for byte; without --file the names of all, then all of them.

    Passwords and tokens are shown: whoever runs this command can read the keys as well.
    """
    with acting(config, organisation) as (core, whoever):
        actor = _without_secrets(whoever) if mask else whoever
        if file is not None:
            _print_file(core, actor, device, file, explained=explained)
        else:
            _print_all(core, actor, device, explained=explained)
        if explained:
            for loss in loss_report(core, actor, device):
                typer.echo(f"Not shown by this phone: {loss}", err=True)


def _without_secrets(actor: Actor) -> Actor:
    return replace(actor, permissions=actor.permissions - {Permission.SECRETS})


def _print_all(core: Core, actor: Actor, device: str, *, explained: bool) -> None:
    names = [file.path for file in list_files(core, actor, device)]
    for name in names:
        typer.echo(name)
    for name in names:
        typer.echo(f"\n==> {name} <==")
        _print_file(core, actor, device, name, explained=explained)


def _print_file(core: Core, actor: Actor, device: str, name: str, *, explained: bool) -> None:
    if not explained:
        typer.echo(preview(core, actor, device, name)[0], nl=False)
        return
    lines = explain(core, actor, device, name)
    for line in lines if lines[-1].text else lines[:-1]:
        typer.echo(line.text)
        for held in line.origins:
            typer.echo(f"    <- {_origin(held)}")


def _origin(held: Effective) -> str:
    origin = held.origin
    parts = [f"{held.key}: {origin.level}"]
    if origin.owner:
        parts[0] += f" {origin.owner}"
    if origin.who:
        parts.append(f"set by {origin.who}")
    if origin.when:
        parts.append(f"{moment(origin.when)}")
    if held.locked:
        parts.append("locked")
    return ", ".join(parts)
