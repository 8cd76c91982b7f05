"""What a dialect says of a time zone, and the sentence for what it cannot say."""

from __future__ import annotations

import pytest

from provisioning.domain.timezones import zone_rule
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model, VendorData, ZoneForm, ZoneGrammar
from provisioning.vendors.zones import expressible, told

WORDS = {"Europe/Berlin": "CET", "Europe/Istanbul": "TRT", "UTC": "GMT"}


def vendor(*zones: ZoneGrammar) -> Vendor:
    """A vendor that is told zones in these ways."""
    data = VendorData(
        id="acme", name="Acme", zones=zones, timezones=WORDS, traits={"format": "new"}
    )
    return Vendor(data, (), (), {})


def said(name: str, form: str, year: int = 2026, /, **limits) -> str:
    """The sentence about a zone in a grammar."""
    return expressible(zone_rule(name, year), vendor(ZoneGrammar(ZoneForm(form), **limits)))


@pytest.mark.parametrize(
    ("name", "form", "limits"),
    [
        ("Europe/Berlin", "rule", {"whole_hours": True, "savings": (60,), "offsets": (0, 60)}),
        ("Pacific/Chatham", "rule", {}),
        ("Australia/Lord_Howe", "dates", {"savings": (30, 60)}),
        ("Europe/Berlin", "posix", {"length": 32}),
        ("Asia/Tokyo", "offset", {}),
        ("Africa/Casablanca", "names", {}),
        ("Europe/Berlin", "codes", {}),
    ],
)
def test_what_fits_is_not_reported(name: str, form: str, limits: dict):
    """Nothing is said of a zone that the grammar can express."""
    assert said(name, form, **limits) == ""


@pytest.mark.parametrize(
    ("name", "form", "limits", "sentence"),
    [
        ("Asia/Kathmandu", "rule", {"offsets": (300, 360)}, "no offset of +05:45 is known, +06:00 is sent"),
        ("Australia/Lord_Howe", "rule", {"savings": (60,)}, "no saving of 30 minutes is known, 60 is sent"),
        ("Pacific/Chatham", "dates", {"whole_hours": True}, "3:00 is sent for 3:45"),
        ("Pacific/Chatham", "posix", {"length": 32}, "longer than 32 characters, the phones keep theirs"),
        ("Europe/Berlin", "offset", {}, "daylight saving begins and ends as the phones themselves know"),
        ("Asia/Gaza", "rule", {}, "its rule changes from year to year, that of 2026 is sent"),
        ("Asia/Tokyo", "codes", {}, "the phones have no word for it, they keep theirs"),
        ("Asia/Tokyo", "codes", {"fallback": "GMT"}, "the phones have no word for it, 'GMT' is sent"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(name: str, form: str, limits: dict, sentence: str):
    """The sentence names the zone, the vendor and what is sent instead."""
    text = said(name, form, **limits)
    assert text.startswith(f"The time zone {name} is not exact on Acme: ")
    assert sentence in text


def test_year_without_a_rule_is_said():
    """Where not even one year fits, the offset of its end is what is sent."""
    assert "2019 has no yearly rule, the offset -03:00 is sent" in said("Brazil/East", "rule", 2019)


def test_model_without_zones_is_said():
    """A model of which no entry speaks takes no zone."""
    other = vendor(ZoneGrammar(ZoneForm.RULE, only={"format": "new"}))
    rule = zone_rule("Europe/Berlin", 2026)
    assert expressible(rule, other, Model("A1")) == ""
    assert "take no time zone" in expressible(rule, other, Model("A2", traits={"format": "old"}))


def test_nearest_is_what_templates_get():
    """Offset and saving are the nearest that the phone knows; a tie goes to the lower one."""
    grammar = ZoneGrammar(ZoneForm.RULE, offsets=(600, 660), savings=(60,))
    sent = told(zone_rule("Australia/Lord_Howe", 2026), vendor(grammar), None).rule
    assert (sent.offset, sent.saving) == (600, 60)
    assert told(zone_rule("Asia/Tokyo", 2026), vendor(grammar), None).rule.saving == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Europe/Berlin", "CET"),
        ("Europe/Vienna", "CET"),
        ("Etc/UCT", "GMT"),
        # The same time today, but not ten years ago when Istanbul had daylight saving.
        ("Africa/Nairobi", ""),
        ("Africa/Casablanca", ""),
    ],
)
def test_a_word_serves_zones_of_the_same_time(name: str, code: str):
    """A zone without a word gets that of a zone whose clock it shares, now and long ago."""
    grammar = ZoneGrammar(ZoneForm.CODES)
    assert told(zone_rule(name, 2026), vendor(grammar), None).code == code
