"""`provisioning device`: registering phones and looking at them."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioning.cli.opened import OrganisationName, acting
from provisioning.cli.options import AsJson, ConfigFile
from provisioning.cli.printing import plain, print_item, print_items
from provisioning.domain.errors import UnknownVendor
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.devices import provisioning_urls, retire_device
from provisioning.usecases.overviews import device_overview, device_overviews
from provisioning.usecases.previews import list_files, loss_report
from provisioning.usecases.progress import read_reload
from provisioning.usecases.registering import add_device

app = typer.Typer(name="device", help="Devices: phones and adapters.", no_args_is_help=True)

DeviceName = Annotated[str, typer.Argument(metavar="DEVICE", help="Its MAC or id.")]


@app.command("add")
def add(
    *,
    mac: Annotated[str | None, typer.Option(metavar="MAC", help="A softphone has none.")] = None,
    vendor: Annotated[
        str | None, typer.Option(metavar="VENDOR", help="Guessed from the MAC if left out.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Told by the phone if left out.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What people call it.")] = "",
    site: Annotated[
        str | None, typer.Option(metavar="SITE", help="Name or id; else the first one.")
    ] = None,
    pool: Annotated[bool, typer.Option("--pool", help="A phone for whoever comes.")] = False,
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """Register a device and print its id, and a softphone's enrolment link below it."""
    with acting(config, organisation) as (core, actor):
        made = add_device(
            core, actor, mac=mac, vendor=vendor, model=model, name=name, site=site, pool=pool
        )
    typer.echo(made.device.id)
    if made.enrolment_url:
        typer.echo(made.enrolment_url)


@app.command("list")
def show_all(
    organisation: OrganisationName = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """List the organisation's devices."""
    with acting(config, organisation) as (core, actor):
        items = [plain(row) for row in device_overviews(core, actor)]
    print_items(items, as_json=as_json)


@app.command("show")
def show(
    device: DeviceName,
    organisation: OrganisationName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show a device: whether it has its files, its own URL (which proves it), what it cannot show."""
    with acting(config, organisation) as (core, actor):
        item = plain(device_overview(core, actor, device))
        item["reload"] = read_reload(core, actor, device).status
        item["provisioning_url"] = provisioning_urls(core, actor, device).token_url
        item["files"], item["losses"] = _files_and_losses(core, actor, device)
    print_item(item, as_json=as_json)


def _files_and_losses(core: Core, actor: Actor, device: str) -> tuple[list[str], list[str]]:
    try:
        files = [file.path for file in list_files(core, actor, device)]
        return files, loss_report(core, actor, device)
    except UnknownVendor:
        return [], []


@app.command("retire")
def retire(
    device: DeviceName, organisation: OrganisationName = None, config: ConfigFile = None
) -> None:
    """Retire a device: its users leave it, and the next file it fetches empties it."""
    with acting(config, organisation) as (core, actor):
        retire_device(core, actor, device)
    typer.echo(f"Retired {device}.", err=True)
