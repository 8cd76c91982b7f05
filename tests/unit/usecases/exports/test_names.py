"""No name becomes a line or an attribute, and no password is bent."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.domain import fields
from provisioning.domain.errors import InvalidInput
from provisioning.store.catalogue import (
    CategoryOption,
    Number,
)
from provisioning.store.people import User
from provisioning.usecases import sip
from provisioning.usecases.exports.asterisk import Part, asterisk
from provisioning.usecases.exports.freeswitch import domain_document
from provisioning.usecases.exports.kamailio import as_csv, kamailio

REALM = "pbx.example.com"
SIZES = [39, 4, 3, 31, 4, 3]
"""How many values each of the six sections has."""
NO_CHARACTERS = re.compile("[\ufffe\uffff]")
"""What is in Unicode but in no XML."""
WILD = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def md5(text: str) -> str:
    """What the formats call HA1 when it is made of user, realm and password."""
    return hashlib.md5(text.encode()).hexdigest()


def parsed(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections and values, read by the rules of Asterisk's own parser (main/config.c)."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    assert "\r" not in text
    for raw in text.split("\n"):
        line, at = raw, 0
        while (at := line.find(";", at)) >= 0:
            escaped = at > 0 and line[at - 1] == "\\"
            line = line[: at - 1] + line[at:] if escaped else line[:at]
        line = line.strip()
        if line.startswith("["):
            found.append((line, []))
        elif line:
            key, _, value = line.partition("=")
            found[-1][1].append((key.strip(), value.strip()))
    return found


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_no_name_becomes_a_line_or_an_attribute(core, actor, office, shown):
    """Whatever people, departments and numbers are called, each format reads back the same."""
    plan = asterisk(core, actor, part=Part.DIALPLAN)

    @SLOW
    @given(st.tuples(WILD, WILD, WILD))
    def holds(names: tuple[str, str, str]) -> None:
        try:
            first, group, label = (fields.name("name", name) for name in names)
        except InvalidInput:
            return
        with core.database.write() as session:
            session.get_one(User, office.ada.id).first_name = first
            session.get_one(CategoryOption, office.sales).name = group
            for row in session.query(Number):
                row.label = label

        sections = parsed(asterisk(core, actor))
        assert [head for head, _ in sections] == ["[1001]"] * 3 + ["[1002]"] * 3
        assert [len(values) for _, values in sections] == SIZES
        callerid = dict(sections[0][1])["callerid"]
        quoted = re.fullmatch(r'"([^"<>\\]*)" <1001>', callerid)
        assert quoted
        assert len(quoted[1]) == len(first)
        assert asterisk(core, actor, part=Part.DIALPLAN) == plan

        root = ET.fromstring(domain_document(core, actor))
        assert [user.get("id") for user in root.iter("user")] == ["1001", "bob-auth"]
        name = root.find(".//variable[@name='effective_caller_id_name']").get("value")
        assert name == NO_CHARACTERS.sub("", first)
        assert next(root.iter("group")).get("name") == NO_CHARACTERS.sub("", group)
        assert shown(office.ada.id)["first_name"] == first

    holds()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_every_password_arrives_as_it_is(core, actor, office, accounts):
    """Any password that can be stored is read back from the text and the rows as it was given."""
    account = accounts()["1001"]

    @SLOW
    @given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128))
    def holds(password: str) -> None:
        sip.change_account(core, actor, account, {"password": password})
        auth = dict(parsed(asterisk(core, actor))[1][1])
        assert auth["password"] == password
        text = as_csv(kamailio(core, actor, passwords=True))
        row = next(csv.DictReader(io.StringIO(text, newline="")))
        assert row["password"] == password
        assert row["ha1"] == md5(f"1001:{REALM}:{password}")

    holds()


@pytest.mark.parametrize("name", ["a b", "x]\n[y", "(x)", "ä", "a;b", "x" * 80])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_name_of_a_section_that_asterisk_would_not_take_is_refused(core, actor, server, name):
    """Context and template come from a query and are checked before they are written."""
    for field in ("context", "template"):
        with pytest.raises(InvalidInput):
            asterisk(core, actor, **{field: name})
