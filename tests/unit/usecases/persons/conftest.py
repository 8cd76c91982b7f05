"""People of an organisation, and phones of several dialects that show what they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from provisioning.domain.roles import Permission
from provisioning.domain.settings import Level
from provisioning.render.syntax import FORMS
from provisioning.simulate.shown import Shown, ShownKey, shown
from provisioning.store.catalogue import CallTarget, CostCentre, Number
from provisioning.usecases import keys, previews, registering, settings, sip
from provisioning.usecases.actors import Actor
from provisioning.usecases.core import Core
from provisioning.vendors.match import read_name
from provisioning.vendors.schema import Syntax

CODES = {
    "voicemail": "*97", "pickup": "*8", "park": "700", "retrieve": "701", "anonymous": "*67",
    "caller-id": "*31", "barge": "*33", "listen": "*34", "whisper": "*35",
}  # fmt: skip

PHONES = {
    "yealink": ("T54W", "001565000001"),
    "snom": ("D785", "000413000001"),
    "grandstream": ("GRP2614", "000b82000001"),
}
"""A model of each dialect these tests read back, and a MAC of it."""


EVENTS = {"record": "keyevent F_REC", "forward": "keyevent F_REDIRECT"}
"""What Snom writes for a key of a type that has no value."""


@dataclass
class Screen:
    """A registered phone, and what it shows of the files it would fetch now."""

    core: Core
    actor: Actor
    device: UUID
    vendor: str
    model: str

    def files(self) -> dict[str, tuple[Syntax, bytes]]:
        """Every file but the phone book, by name, with its syntax."""
        vendor = self.core.registry.vendor(self.vendor)
        found = {}
        for item in previews.list_files(self.core, self.actor, self.device):
            named = read_name(vendor, item.path, vendor.model(self.model), "")
            assert named is not None
            if not named.rule.phonebook:
                content, _ = previews.preview(self.core, self.actor, self.device, item.path)
                found[item.path] = (named.rule.syntax, content)
        return found

    def parameters(self) -> dict[str, str]:
        """All parameters of its files, names in lower case."""
        found: dict[str, str] = {}
        for syntax, content in self.files().values():
            parsed = FORMS[syntax].parse(content.decode("utf-8"))
            found |= {name.lower(): value for name, value in parsed}
        return found

    def shown(self) -> Shown:
        """What stands on its screen and keys."""
        vendor = self.core.registry.vendor(self.vendor)
        return shown(self.parameters(), vendor, vendor.model(self.model))

    def keys(self, type_: str) -> list[ShownKey]:
        """Its keys of a type, those among them that share their code with others."""
        also = EVENTS.get(type_, type_)
        return [key for key in self.shown().keys if {type_, also} & set(key.type.split("/"))]

    def text(self) -> str:
        """All its files as one text."""
        return "\n".join(content.decode("utf-8") for _, content in self.files().values())

    def losses(self) -> str:
        """What it cannot show."""
        return "\n".join(previews.loss_report(self.core, self.actor, self.device))


@pytest.fixture
def office(core: Core, actor: Actor, clock: Any) -> Any:
    """A SIP server with every feature code, as the organisation's default."""
    return sip.add_server(core, actor, name="main", registrar="pbx.example.com", codes=CODES)


@pytest.fixture(params=PHONES)
def phone(request: pytest.FixtureRequest, core: Core, actor: Actor, office: Any) -> Screen:
    """An unassigned phone of each dialect in turn."""
    model, mac = PHONES[request.param]
    device = registering.add_device(core, actor, mac=mac, vendor=request.param, model=model).device
    return Screen(core, actor, device.id, request.param, model)


@pytest.fixture
def have(core: Core, actor: Actor) -> Callable[..., None]:
    """Set values of a user."""

    def put(user: UUID, **values: Any) -> None:
        named = {name.replace("__", ".").replace("_", "-"): values[name] for name in values}
        settings.set_values(core, actor, Level.USER, user, named)

    return put


@pytest.fixture
def give_keys(core: Core, actor: Actor) -> Callable[..., None]:
    """Set the keys of a level: (position, type, value)."""

    def put(level: str, owner: UUID, *rows: tuple[int, str, str]) -> None:
        given = [{"position": n, "type": type_, "value": value} for n, type_, value in rows]
        keys.replace_keys(core, actor, level, owner, [keys.read_key(key) for key in given])

    return put


@pytest.fixture
def add_row(core: Core, actor: Actor) -> Callable[..., UUID]:
    """Give the organisation a number, a cost centre or a call target."""

    def add(table: type[Number | CostCentre | CallTarget], **columns: Any) -> UUID:
        with core.database.write() as session:
            row = table(organisation_id=columns.pop("of", actor.organisation), **columns)
            session.add(row)
            return row.id

    return add


@pytest.fixture
def member(actor: Actor) -> Callable[[UUID], Actor]:
    """Somebody who is a user and has no right but that of members."""

    def make(user: UUID) -> Actor:
        return replace(actor, name="Ada", permissions=frozenset({Permission.OWN}), user_id=user)

    return make
