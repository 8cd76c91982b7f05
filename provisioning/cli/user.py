"""`provisioning user`: the people of an organisation."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioning.cli.opened import OrganisationName, acting
from provisioning.cli.options import AsJson, ConfigFile
from provisioning.cli.printing import plain, print_item, print_items
from provisioning.usecases.overviews import user_overview, user_overviews
from provisioning.usecases.users import add_user

app = typer.Typer(name="user", help="Users of an organisation.", no_args_is_help=True)


@app.command("add")
def add(
    *,
    first_name: Annotated[str, typer.Option(metavar="NAME", help="First name, or the only one.")],
    last_name: Annotated[str, typer.Option(metavar="NAME", help="Last name.")] = "",
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="E-mail address.")] = None,
    extension: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Internal number, 2 to 10 digits.")
    ] = None,
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """Make a user, with an account on the default SIP server, and print their id."""
    with acting(config, organisation) as (core, actor):
        made = add_user(
            core, actor,
            first_name=first_name, last_name=last_name, email=email, extension=extension,
        )  # fmt: skip
    typer.echo(made.user.id)
    if made.note:
        typer.echo(made.note, err=True)


@app.command("list")
def show_all(
    organisation: OrganisationName = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """List the organisation's users."""
    with acting(config, organisation) as (core, actor):
        items = [plain(row) for row in user_overviews(core, actor)]
    print_items(items, as_json=as_json)


@app.command("show")
def show(
    user: Annotated[str, typer.Argument(metavar="USER", help="Their extension or id.")],
    organisation: OrganisationName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show a user with their SIP accounts and devices."""
    with acting(config, organisation) as (core, actor):
        item = plain(user_overview(core, actor, user))
    print_item(item, as_json=as_json)
