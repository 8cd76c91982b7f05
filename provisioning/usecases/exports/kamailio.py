"""Rows for Kamailio's table ``subscriber``, as its module auth_db reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from provisioning.domain.fields import host
from provisioning.domain.roles import Permission
from provisioning.store.roster import roster
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.usecases.exports.subscribers import md5, server_of, subscribers


@dataclass(frozen=True, slots=True)
class Subscription:
    """One row. ``ha1b`` is for phones that write their domain into the user name."""

    username: str
    domain: str
    password: str
    ha1: str
    ha1b: str


def kamailio(
    core: Core, actor: Actor, *, server: str = "", realm: str = "", passwords: bool = False
) -> list[Subscription]:
    """The accounts of a server; ``realm`` is what Kamailio challenges with, by default its name.

    ``passwords`` are left out unless asked for: the hashes are enough to register phones. Raises
    NotFound, SecretsAreGiven, or InvalidInput for a realm that is no host.
    """
    actor.require(Permission.PBX)
    domain = host("realm", realm, empty=True)
    with core.database.read() as session:
        row = server_of(session, actor, server)
        found = roster(session, actor.organisation)
    domain = domain or row.registrar
    return [
        Subscription(
            username=item.login,
            domain=domain,
            password=item.password if passwords else "",
            ha1=item.ha1(domain),
            ha1b=md5(f"{item.login}@{domain}:{domain}:{item.password}"),
        )
        for item in subscribers(core, found, row)
    ]


def as_csv(rows: Iterable[Subscription]) -> str:
    """The rows as CSV (RFC 4180) with the columns' names, every cell as it is: for a program."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(Subscription)])
    writer.writeheader()
    writer.writerows(map(asdict, rows))
    return text.getvalue()
