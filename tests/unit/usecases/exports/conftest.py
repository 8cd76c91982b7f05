"""An office with everything set that a PBX can be told."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from provisioning.domain.kinds import LicenceKind, TargetKind
from provisioning.domain.settings import Level
from provisioning.doors.http.api.people import shown_person
from provisioning.store.catalogue import (
    CallTarget,
    CategoryOption,
    CostCentre,
    Licence,
    LicenceHolder,
    Number,
    UserNumber,
    UserOption,
)
from provisioning.store.groups import department
from provisioning.store.people import User
from provisioning.store.values import SettingValue
from provisioning.usecases import sip, users
from provisioning.usecases.exports import people
from provisioning.usecases.pages import Page


@pytest.fixture
def put(core, actor):
    """Store rows as their own use cases would."""

    def store(table: type[Any], **columns: Any) -> UUID:
        with core.database.write() as session:
            row = table(organisation_id=actor.organisation, **columns)
            session.add(row)
            return row.id

    return store


@pytest.fixture
def hold(put):
    """Set values at a level."""

    def values(level: Level, owner: UUID, values: dict[str, Any]) -> None:
        for key, value in values.items():
            put(SettingValue, level=level, owner_id=owner, key=key, value=value)

    return values


@pytest.fixture
def change_user(core):
    """Set a user's columns."""

    def change(user: UUID, **columns: Any) -> None:
        with core.database.write() as session:
            row = session.get_one(User, user)
            for name, value in columns.items():
                setattr(row, name, value)

    return change


@pytest.fixture
def make_user(core, actor, server):
    """Make a user with an account of a known password."""

    def make(first_name: str = "Ada", extension: str | None = "1001", **account: str) -> Any:
        given_account = {"username": extension or "ada", "password": "Secret;1"} | account
        columns = {"first_name": first_name, "extension": extension}
        return users.add_user(core, actor, sip_account=given_account, **columns).user

    return make


@pytest.fixture
def office(core, actor, make_user, put, hold, change_user):
    """Ada, with everything set that a PBX can be told, and Bob, with nothing."""
    ada, bob = make_user("Ada"), make_user("Bob", "1002", auth_name="bob-auth")
    with core.database.read() as session:
        category = department(session, actor.organisation)
    sales = put(CategoryOption, category_id=category.id, name="Sales & <More>")
    main = put(Number, number="+49301000", label="Main", is_default=True)
    own = put(Number, number="+49301001", label="Ada's")
    support = put(CallTarget, kind=TargetKind.RING_GROUP, name="Support", number="700")
    shared = put(CallTarget, kind=TargetKind.SHARED_VOICEMAIL, name="Box", number="790")
    put(UserOption, user_id=ada.id, category_id=category.id, option_id=sales)
    licence = put(Licence, kind=LicenceKind.ADD_ON, add_on="Fax", quantity=1)
    put(LicenceHolder, licence_id=licence, user_id=ada.id)
    put(UserNumber, user_id=ada.id, number_id=main)
    change_user(
        ada.id,
        email="ada@example.com",
        incoming="hotdesk",
        caller_id_number_id=own,
        cost_centre_id=put(CostCentre, name="Travel", code="17"),
        voicemail_pin_hash=core.pins.hash("4711"),
        steps=[
            {"targets": [{"kind": "extension", "number": "1002"}], "seconds": 20},
            {
                "targets": [
                    {"kind": "target", "id": str(support)},
                    {"kind": "number", "number": "+4930999"},
                ],
                "seconds": 30,
            },
        ],
        fallback={"kind": "shared-voicemail", "id": str(shared)},
    )
    hold(
        Level.USER,
        ada.id,
        {
            "language": "de",
            "time.zone": "Europe/Berlin",
            "line.codecs": ["opus", "pcma"],
            "line.srtp": "optional",
            "line.dtmf": "sip-info",
            "line.anonymous": True,
            "line.incoming": "disabled",
            "line.outgoing": "enabled",
            "call.method": "callback",
            "call.callback-number": "+4930777",
            "call.recording": "on-demand",
            "feature.busy-reject": True,
            "feature.several-caller-ids": True,
            "right.ivr": False,
            "right.listen": True,
            "privacy.show-calls": False,
            "voicemail.notify": True,
            "voicemail.attach": True,
            "voicemail.delete-after": True,
            "sms.zones": ["eu"],
        },
    )
    return SimpleNamespace(
        ada=ada, bob=bob, sales=sales, support=support, shared=shared, category=category
    )


@pytest.fixture
def accounts(core, actor):
    """Read the ids of all accounts by user name."""

    def read() -> dict[str, str]:
        rows = sip.list_accounts(core, actor, Page())
        return {row.username: str(row.id) for row in rows}

    return read


@pytest.fixture
def shown(core, actor):
    """Read what the API answers for a person."""

    def read(user: UUID) -> dict[str, Any]:
        return json.loads(shown_person(*people.read_person(core, actor, user)).model_dump_json())

    return read
