"""The database itself keeps organisations apart, whatever the code above it does."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, update

from provisioning.domain.errors import Conflict
from provisioning.store.base import Base
from provisioning.store.values import KeyValue, SettingValue

TABLES = Base.metadata.tables
OWNED = {name: table for name, table in TABLES.items() if "organisation_id" in table.c}
SHARED = {"role"}
"""Tables some of whose rows belong to no organisation: the built-in roles."""


def within() -> list[tuple[str, str, str]]:
    """Every reference that stays within an organisation: table, column, referred table."""
    return sorted(
        (name, key.column_keys[1], key.referred_table.name)
        for name, table in OWNED.items()
        for key in table.foreign_key_constraints
        if len(key.column_keys) == 2
    )


def test_every_reference_between_owned_rows_stays_within_the_organisation():
    """No table refers to an organisation's rows by their id alone."""
    loose = {
        (name, key.referred_table.name)
        for name, table in OWNED.items()
        for key in table.foreign_key_constraints
        if len(key.column_keys) == 1 and key.referred_table.name in OWNED
    }
    assert {referred for _, referred in loose} <= SHARED
    assert len(within()) >= 15


@pytest.mark.parametrize(
    ("table", "column", "referred"), within(), ids=lambda value: value.replace("_", "-")
)
def test_row_cannot_point_into_another_organisation(rows, database, table, column, referred):
    """A row may be pointed at a row of its own organisation and at no other's."""
    here, there = rows.organisation(), rows.organisation()
    classes = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    made: dict[str, Any] = {column: rows.plant(classes[referred], here)}
    row = rows.plant(classes[table], here, **made)
    own = rows.plant(classes[referred], here)
    foreign = rows.plant(classes[referred], there)

    def point(at: Any) -> None:
        of = TABLES[table]
        with database.write() as session:
            if table == "reload":  # the outbox has marked what was planted
                session.execute(delete(of).where(of.c.device_id == at))
            session.execute(update(of).where(of.c.id == row).values({column: at}))

    point(own)
    with pytest.raises(Conflict):
        point(foreign)


@pytest.mark.parametrize("table", sorted(set(OWNED) - {"fetch", "served_file"}))
def test_row_needs_an_organisation_that_exists(table):
    """Every owned table refers to the organisation itself, and goes with it."""
    keys = [
        key
        for key in OWNED[table].foreign_key_constraints
        if key.referred_table.name == "organisation"
    ]
    assert [key.ondelete for key in keys] == ["CASCADE"]


@pytest.mark.parametrize("table", [SettingValue, KeyValue])
def test_owner_of_a_value_is_checked_by_its_use_case(table):
    """Values name their owner by level and id, which no key of the database can check."""
    assert {key.referred_table.name for key in table.__table__.foreign_key_constraints} == {
        "organisation"
    }
