"""The settings table: what each setting takes, and at which levels it may stand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.errors import InvalidSetting
from provisioning.domain.settings import (
    BY_KEY,
    SETTINGS,
    STORED_LEVELS,
    Class,
    Kind,
    Level,
    Setting,
    setting_for,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
near_values = st.sampled_from(
    [
        "de", "de-AT", "DE", "Europe/Berlin", "../etc/passwd", "Europe", "/etc/localtime", "a\0b",
        "http://x/", "https://x y", "tftp://h/f", "pbx.example.com", "2001:db8::1", "-host", "h\n",
        ["opus", "pcma"], ["opus", "opus"], ["112"], [112], ["1 2"], [[]], [None], [{}], -1, 0, 1,
        63, 64, 4094, 4095, True, False, 1.0, "1", "off", "iso", {}, "a" * 256, "\ud800",
        "\u2028", float("nan"), 10**30,
    ]
)  # fmt: skip

each_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)


@each_setting
@settings(max_examples=40, deadline=None)
@given(value=json_values | near_values)
def test_any_value_is_taken_or_refused(setting: Setting, value: object):
    """Whatever JSON can hold is taken in its inside form, or refused and nothing else."""
    try:
        taken = setting.parse(value)
    except InvalidSetting:
        return
    assert isinstance(taken, str | int | bool | tuple)
    assert setting.parse(taken) == taken


@each_setting
def test_default_is_a_value_the_setting_takes(setting: Setting):
    """A default could have been set by hand."""
    assert setting.parse(setting.default) == setting.default


@each_setting
def test_entry_is_well_formed(setting: Setting):
    """Keys are dotted words, template names are identifiers, help is a sentence."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+|language", setting.key)
    assert setting.name.isidentifier()
    assert setting.help.endswith(".")
    assert set(setting.levels) <= set(STORED_LEVELS)


def test_keys_and_template_names_are_unique():
    """No two settings share a key, or the name a template knows them by."""
    assert len(BY_KEY) == len(SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


@each_setting
def test_place_settings_never_stand_at_a_person(setting: Setting):
    """What belongs to the place cannot be set for a user or a role."""
    if setting.class_ is Class.PLACE:
        assert not {Level.USER, Level.ROLE} & set(setting.levels)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("language", "deutsch"),
        ("language", 1),
        ("time.zone", "Europe/Nowhere"),
        ("time.zone", "../../etc/passwd"),
        ("time.24h", 1),
        ("time.date-format", "ymd"),
        ("tone.country", "de"),
        ("idle.text", "two\nlines"),
        ("idle.text", "x" * 256),
        ("idle.text", "a\u2028b"),
        ("ntp.server-1", "no host"),
        ("ntp.server-1", "host\n"),
        ("vlan.id", 4095),
        ("vlan.id", -1),
        ("vlan.id", True),
        ("vlan.id", "1"),
        ("qos.sip-dscp", 64),
        ("emergency.numbers", ["one"]),
        ("emergency.numbers", "112"),
        ("emergency.numbers", ["1"] * 21),
        ("reload.http-from", "192.0.2.1"),
        ("reload.http-from", ["prov.example.com"]),
        ("reload.http-from", ["192.0.2.0/24"]),
        ("reload.http-from", ["0.0.0.0"]),
        ("reload.http-from", ["fe80::1%eth0"]),
        ("reload.http-from", [3221225985]),
        ("reload.http-from", ["192.0.2.1"] * 11),
        ("web.mode", "http"),
        ("phonebook.url", "ftp://x/"),
        ("phonebook.url", "https://x/\"'>"),
        ("line.codecs", ["mp3"]),
        ("line.codecs", ["pcma", "pcma"]),
        ("line.codecs", "pcma"),
        ("line.register-seconds", 59),
    ],
)
def test_wrong_values_are_refused(key: str, value: object):
    """A value outside what the table says is refused, and the message names the setting."""
    with pytest.raises(InvalidSetting, match=re.escape(f"'{key}'")) as caught:
        BY_KEY[key].parse(value)
    assert caught.value.remedy.startswith("Give ")
    assert caught.value.field == key


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("language", "pt-BR"),
        ("time.zone", "Australia/Lord_Howe"),
        ("idle.text", "Müller & Söhne <1> {{ 2 }} \u202e"),
        ("ntp.server-1", "2001:db8::1"),
        ("ntp.server-2", ""),
        ("vlan.id", 4094),
        ("emergency.numbers", ["+49112", "*#"]),
        ("reload.http-from", ["192.0.2.1", "2001:db8::1"]),
        ("phonebook.url", ""),
        ("line.codecs", ["opus", "g729"]),
    ],
)
def test_right_values_are_taken(key: str, value: object):
    """Values within what the table says are taken as they are."""
    taken = BY_KEY[key].parse(value)
    assert (list(taken) if isinstance(taken, tuple) else taken) == value


def test_message_does_not_tell_a_secret():
    """A refused password is not repeated in the message."""
    with pytest.raises(InvalidSetting) as caught:
        BY_KEY["admin.password"].parse("s3cret\n")
    assert "s3cret" not in str(caught.value)


def test_setting_is_found_at_its_levels_only():
    """A key that does not exist, or not at that level, is refused and says what does."""
    assert setting_for("language", Level.USER).kind is Kind.LANGUAGE
    with pytest.raises(InvalidSetting, match="no setting 'langauge'"):
        setting_for("langauge", Level.USER)
    with pytest.raises(InvalidSetting, match="organisation, site, profile, device"):
        setting_for("vlan.id", Level.USER)
    with pytest.raises(InvalidSetting, match="cannot stand at the level built-in"):
        setting_for("language", Level.BUILT_IN)
