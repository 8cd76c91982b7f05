"""What a command works with: the core over the configured database, and who acts in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from provisioning.app.build import build
from provisioning.cli.options import read_config
from provisioning.domain.errors import InvalidInput, NotFound
from provisioning.usecases.actors import Actor, local_actor
from provisioning.usecases.core import Core
from provisioning.usecases.organisations import list_organisations

OrganisationName = Annotated[
    str | None,
    typer.Option("--organisation", metavar="NAME", help="Name or id; needed if there are several."),
]


@contextmanager
def opened(config: Path | None) -> Iterator[Core]:
    """A core over the configured database, whether or not the server runs; raises as ``build``."""
    core = build(read_config(config))
    try:
        yield core
    finally:
        core.database.close()


@contextmanager
def acting(config: Path | None, organisation: str | None) -> Iterator[tuple[Core, Actor]]:
    """A core, and whoever runs this command acting in the organisation named.

    Raises NotFound for an unknown name, InvalidInput where several exist and none is named.
    """
    with opened(config) as core:
        yield core, actor_in(core, organisation)


def actor_in(core: Core, name: str | None) -> Actor:
    """The local actor in the organisation of that name or id, or in the only one there is."""
    found = list_organisations(core, local_actor(None))
    names = ", ".join(row.name for row in found)
    if name is None and len(found) == 1:
        return local_actor(found[0].id)
    if name is None:
        raise InvalidInput(
            f"There are {len(found)} organisations.",
            remedy=f"Name one by --organisation: {names}.",
            field="organisation",
        )
    for row in found:
        if name in (row.name, str(row.id)):
            return local_actor(row.id)
    raise NotFound(f"There is no organisation '{name[:40]}'.", remedy=f"There are: {names}.")
