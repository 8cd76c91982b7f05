"""The phone book of every dialect that has one: people survive in it, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.render.cases import shared_phone
from provisioning.render.files import named_rules, render_file
from provisioning.render.syntax import FORMS
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import load_registry

ROOT = Path(__file__).parents[3] / "templates"
REGISTRY = load_registry([ROOT])
BOOKS = [vendor for vendor in REGISTRY if any(rule.phonebook for rule in vendor.data.files)]


def book(vendor: Vendor) -> str:
    """Everything the phone book of a dialect says, read back."""
    mac = vendor.data.ouis[0].ljust(12, "1") if vendor.data.ouis else None
    for model in vendor.data.models:
        phone = shared_phone((ROOT,), "phone-book", mac=mac, model=model.id)
        for item in named_rules(phone, vendor):
            if item.rule.phonebook:
                text = render_file(phone, vendor, item.rule).decode("utf-8")
                return "\n".join(value for _, value in FORMS[item.rule.syntax].parse(text))
    raise AssertionError(f"no model of {vendor.id} has the phone book")


@pytest.mark.parametrize("vendor", BOOKS, ids=lambda vendor: vendor.id)
@pytest.mark.parametrize(
    "name", ["Lovelace", "Adélaïde", "Müller & Söhne", "李小龍", "🎧", "<O'Neil>"]
)
def test_names_survive(vendor: Vendor, name: str):
    """Umlauts, Chinese, emoji and markup in names arrive as they were given."""
    assert name in book(vendor)


@pytest.mark.parametrize("vendor", BOOKS, ids=lambda vendor: vendor.id)
@pytest.mark.parametrize("number", ["1001", "+493012345", "+85221234567"])
def test_numbers_survive(vendor: Vendor, number: str):
    """Numbers can be dialled as they stand."""
    assert number in book(vendor)
