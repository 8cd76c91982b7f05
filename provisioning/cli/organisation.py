"""`provisioning organisation`: the tenants of this server."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioning.cli.opened import OrganisationName, acting, opened
from provisioning.cli.options import AsJson, ConfigFile
from provisioning.cli.printing import moment, print_items
from provisioning.usecases.actors import local_actor
from provisioning.usecases.memberships import set_owner
from provisioning.usecases.organisations import add_organisation, list_organisations

app = typer.Typer(name="organisation", help="Organisations of this server.", no_args_is_help=True)


@app.command("add")
def add(name: Annotated[str, typer.Argument(metavar="NAME")], config: ConfigFile = None) -> None:
    """Make an organisation with its first site, and print its id."""
    with opened(config) as core:
        typer.echo(add_organisation(core, local_actor(None), name).id)


@app.command("list")
def show_all(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List all organisations."""
    with opened(config) as core:
        rows = list_organisations(core, local_actor(None))
    items = [
        {"id": str(row.id), "name": row.name, "created_at": moment(row.created_at)} for row in rows
    ]
    print_items(items, as_json=as_json)


@app.command("owner")
def owner(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Of a member.")],
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """Make a member the owner; the former owner becomes an admin."""
    with acting(config, organisation) as (core, actor):
        member = set_owner(core, actor, email)
    typer.echo(f"{member.login.email} owns {member.organisation.name}.", err=True)
