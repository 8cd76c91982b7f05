"""`provisioning login`: who can log in to an organisation."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioning.cli.opened import OrganisationName, acting
from provisioning.cli.options import AsJson, ConfigFile
from provisioning.cli.printing import moment, print_items
from provisioning.usecases.logins import login_of, make_reset_link, remove_totp
from provisioning.usecases.memberships import add_member, list_all_members

app = typer.Typer(name="login", help="Logins of an organisation.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Of a member.")]


@app.command("add")
def add(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="admin, member, partner or a role of your own.")
    ],
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """Make somebody a member; for a new login, print the link that sets its password once."""
    with acting(config, organisation) as (core, actor):
        made = add_member(core, actor, email=email, role=role)
    if made.link is not None:
        typer.echo(made.link.url)
    else:
        typer.echo(f"{made.member.login.email} has a login already.", err=True)


@app.command("list")
def show_all(
    organisation: OrganisationName = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """List the organisation's members."""
    with acting(config, organisation) as (core, actor):
        found = list_all_members(core, actor)
    items = [
        {
            "email": member.login.email,
            "role": member.role.name,
            "user": member.user.name if member.user else "",
            "state": member.membership.state,
            "totp": member.login.totp_encrypted is not None,
            "created_at": moment(member.membership.created_at),
        }
        for member in found
    ]
    print_items(items, as_json=as_json)


@app.command("reset-link")
def reset_link(
    email: Email, organisation: OrganisationName = None, config: ConfigFile = None
) -> None:
    """Print a link by which a member sets a new password, once, within a day."""
    with acting(config, organisation) as (core, actor):
        link = make_reset_link(core, actor, login_of(core, actor, email))
    typer.echo(link.url)


@app.command("remove-totp")
def without_totp(
    email: Email, organisation: OrganisationName = None, config: ConfigFile = None
) -> None:
    """Let a member who lost their authenticator in without it."""
    with acting(config, organisation) as (core, actor):
        remove_totp(core, actor, login_of(core, actor, email))
    typer.echo(f"{email} needs no code now.", err=True)
