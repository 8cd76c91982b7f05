"""`provisioning token`: API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from provisioning.cli.opened import OrganisationName, acting, actor_in, opened
from provisioning.cli.options import AsJson, ConfigFile
from provisioning.cli.printing import moment, print_items
from provisioning.domain.errors import NotFound
from provisioning.usecases.actors import (
    Actor,
    create_token,
    list_tokens,
    local_actor,
    revoke_token,
)
from provisioning.usecases.core import Core

app = typer.Typer(name="token", help="API tokens.", no_args_is_help=True)

_OPERATOR = "operator"


@app.command("create")
def create(
    name: Annotated[str, typer.Option(metavar="NAME", help="What the token is for.")],
    role: Annotated[
        str,
        typer.Option(metavar="ROLE", help="admin, member, pbx, operator or a role of your own."),
    ],
    expires: Annotated[
        int | None, typer.Option(metavar="DAYS", min=1, max=36500, help="Days until it ends.")
    ] = None,
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """Make an API token and print it; it is shown this once."""
    with opened(config) as core:
        token = create_token(
            core,
            _maker(core, role, organisation),
            name=name,
            role=role,
            expires_at=core.clock() + timedelta(days=expires) if expires else None,
        )
    typer.echo(token)


def _maker(core: Core, role: str, organisation: str | None) -> Actor:
    """An operator's token is of no organisation, so none needs to be named for it."""
    if role == _OPERATOR and organisation is None:
        return local_actor(None)
    return actor_in(core, organisation)


@app.command("list")
def show_all(
    organisation: OrganisationName = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """List the organisation's tokens and the operators', without the tokens themselves."""
    with acting(config, organisation) as (core, actor):
        rows = [*list_tokens(core, actor), *list_tokens(core, local_actor(None))]
    items: list[dict[str, Any]] = [
        {
            "id": str(row.id),
            "name": row.name,
            "role": role.name,
            "created_at": moment(row.created_at),
            "expires_at": moment(row.expires_at),
            "last_used_at": moment(row.last_used_at),
            "revoked_at": moment(row.revoked_at),
        }
        for row, role in rows
    ]
    print_items(items, as_json=as_json)


@app.command("revoke")
def revoke(
    token_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `token list` shows it.")],
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """End a token of the organisation or of an operator."""
    with acting(config, organisation) as (core, actor):
        try:
            revoke_token(core, actor, token_id)
        except NotFound:
            revoke_token(core, local_actor(None), token_id)
    typer.echo(f"Revoked {token_id}.", err=True)
