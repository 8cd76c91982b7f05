"""No name a user can be given changes what else a phone's files say, in any dialect."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provisioning.domain.errors import UnsafeValue
from provisioning.domain.phone import Phone
from provisioning.render.cases import shared_phone
from provisioning.render.files import named_rules, render_file
from provisioning.render.syntax import FORMS
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import load_registry

ROOT = Path(__file__).parents[3] / "templates"
REGISTRY = load_registry([ROOT])

LINE = {"user_name": "1001", "password": "s3cretOne", "server": {"registrar": "pbx.example.com"}}
NASTY = [
    "Ada\r\naccount.2.enable = 1",
    "Ada\naccount.2.enable = 1",
    "Ada\x00",
    "Ada\u2028account.2.enable = 1",
    "Ada\x85account.2.enable = 1",
    '"/><reg reg.2.address="1"/><x y="',
    "</user_name><user_pass idx='2'>x</user_pass>",
    "]]><a/><![CDATA[",
    "<!-- -->",
    "&lt;&#10;&#x0A;&entity;",
    "%0d%0a%00",
    "{{ 7 * 7 }}{% for x in y %}{# #}",
    "{{ phone.admin_password }}",
    "\u202eadA\u202c\u200f",
    "# Ada",
    " = ; , : \\ ' \" ` $ % @",
    "\\n\\r\\0",
    "\ue0000\ue001",
    "",
    "   ",
    "é" * 300,
    "\U0001f4de\u200d\ufe0f",
]
texts = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from([*NASTY, "\r", "\n", "\0", '"', "'", "<", ">", "&", "{{", "%}", "="]),
        max_size=5,
    ).map("".join),
)


def phone_named(vendor: Vendor, name: str) -> Phone:
    """The minimal user's phone, of which every name is the given one."""
    mac = vendor.data.ouis[0].ljust(12, "1") if vendor.data.ouis else None
    models = [model for model in vendor.data.models if model.lines]
    line = {**LINE, "display_name": name, "label": name}
    return shared_phone(
        (ROOT,),
        "minimal-user",
        mac=mac,
        model=models[0].id,
        name=name,
        organisation=name,
        site=name,
        lines=[line],
    )


def parameters(vendor: Vendor, name: str) -> dict[str, list[str]]:
    """The names of all parameters of all files, in order."""
    phone = phone_named(vendor, name)
    return {
        item.name: [
            parameter
            for parameter, _ in FORMS[item.rule.syntax].parse(
                render_file(phone, vendor, item.rule).decode("utf-8")
            )
        ]
        for item in named_rules(phone, vendor)
    }


@cache
def harmless(vendor: str) -> dict[str, list[str]]:
    """The parameters that the files of Ada have, by the vendor's id."""
    return parameters(REGISTRY.vendor(vendor), "Ada")


@pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)
@settings(max_examples=30, deadline=None)
@given(name=texts)
@example(name=NASTY[0])
def test_names_add_and_take_no_parameter(vendor: Vendor, name: str):
    """A name is refused, or the files have the parameters they have for Ada."""
    try:
        found = parameters(vendor, name)
    except UnsafeValue:
        return
    assert found == harmless(vendor.id)


@pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)
@pytest.mark.parametrize("name", NASTY, ids=lambda name: ascii(name[:20]))
def test_known_nasty_names_add_and_take_no_parameter(vendor: Vendor, name: str):
    """The tricks seen in the field are refused, or change nothing but the name."""
    try:
        found = parameters(vendor, name)
    except UnsafeValue:
        assert not name.isprintable()
        return
    assert found == harmless(vendor.id)
