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

CODES = {
    "voicemail": "*97", "pickup": "*8", "park": "700", "retrieve": "701", "anonymous": "*67",
    "caller-id": "*31", "barge": "*33", "listen": "*34", "whisper": "*35",
}  # fmt: skip

PHONES = {
    "yealink": ("T54W", "001565000001"),
    "snom": ("D785", "000413000001"),
    "grandstream": ("GRP2614", "000b82000001"),
    "fanvil": ("X5U", "0c383e000001"),
}
"""A model of each dialect these tests read back, and a MAC of it."""


@dataclass
class Screen:
    """A registered phone, and what it shows of the files it would fetch now."""

    core: Core
    actor: Actor
    device: UUID
    vendor: str
    model: str

    def files(self) -> dict[str, bytes]:
        """Every file by name."""
        found = previews.list_files(self.core, self.actor, self.device)
        return {
            item.path: previews.preview(self.core, self.actor, self.device, item.path)[0]
            for item in found
        }

    def parameters(self) -> dict[str, str]:
        """All parameters of its files, names in lower case."""
        vendor = self.core.registry.vendor(self.vendor)
        rules = {rule.pattern.lower(): rule for rule in vendor.data.files}
        found: dict[str, str] = {}
        for name, content in self.files().items():
            matching = [rule for pattern, rule in rules.items() if _fits(pattern, name)]
            for rule in matching[:1]:
                if not rule.phonebook:
                    parsed = FORMS[rule.syntax].parse(content.decode("utf-8"))
                    found |= {key.lower(): value for key, value in parsed}
        return found

    def shown(self) -> Shown:
        """What stands on its screen and keys."""
        vendor = self.core.registry.vendor(self.vendor)
        return shown(self.parameters(), vendor, vendor.model(self.model))

    def keys(self, type_: str) -> list[ShownKey]:
        """Its keys of a type, those among them that share their code with others."""
        return [key for key in self.shown().keys if type_ in key.type.split("/")]

    def text(self) -> str:
        """All its files as one text."""
        return "\n".join(content.decode("utf-8") for content in self.files().values())

    def losses(self) -> str:
        """What it cannot show."""
        return "\n".join(previews.loss_report(self.core, self.actor, self.device))


def _fits(pattern: str, name: str) -> bool:
    """Whether a file's name is of a rule's pattern, whatever stands for its braces."""
    before, _, rest = pattern.partition("{")
    after = rest.rpartition("}")[2]
    return name.lower().startswith(before) and name.lower().endswith(after)


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
