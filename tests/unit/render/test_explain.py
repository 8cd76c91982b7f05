"""Which setting a line of a file comes from, and where its value was set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.domain.effective import Layer, Origin, resolve
from provisioning.domain.keys import SETS, KeyType
from provisioning.domain.settings import Level, Scope
from provisioning.render import explain
from provisioning.render.cases import cases, shared_phone
from provisioning.render.environment import environment, render_template
from provisioning.render.files import explain_file, named_rules, render_file
from provisioning.render.losses import used
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import Syntax

ROOT = Path(__file__).parents[3] / "templates"
REGISTRY = load_registry([ROOT])

HERE = Origin(Level.SITE, "Berlin", who="ada@example.com")
SETTINGS = resolve(
    [Layer("ntp.server-1", "ntp.example.com", HERE), Layer("language", "de", HERE, locked=True)],
    scope=Scope.DEVICE,
)


@pytest.fixture
def explained(tmp_path):
    """Explain a template given as text, with the settings above."""

    def lines(text: str) -> list[explain.ExplainedLine]:
        (tmp_path / "t.j2").write_text(text, encoding="utf-8")
        environment.cache_clear()
        with explain.recording() as recorder:
            context = {"settings": explain.Recorded(SETTINGS), "name": "Ada"}
            content = render_template((tmp_path,), "t.j2", Syntax.YEALINK, context)
        return explain.explained(content.decode("utf-8"), recorder)

    return lines


def test_line_shows_the_setting_it_prints(explained):
    """A printed setting is told with the level, owner and person it comes from."""
    first, second = explained("plain\nntp = {{ settings.ntp_server_1 }}")
    assert first.text == "plain"
    assert first.origins == ()
    assert second.text == "ntp = ntp.example.com"
    assert [(held.key, held.origin) for held in second.origins] == [("ntp.server-1", HERE)]


def test_line_shows_the_setting_that_decided_it(explained):
    """A value chosen by a setting is explained by that setting, lock included."""
    [line] = explained('lang = {{ "German" if settings.language == "de" else "English" }}')
    assert line.text == "lang = German"
    [held] = line.origins
    assert held.key == "language"
    assert held.locked


def test_setting_looked_up_by_a_condition_marks_the_next_value(explained):
    """What a condition looked up is told with the next value printed."""
    first, *_ = explained("{% if settings.vlan_id == 0 %}name = {{ name }}{% endif %}")
    assert [held.key for held in first.origins] == ["vlan.id"]
    assert first.origins[0].origin.level is Level.BUILT_IN


def test_each_setting_is_told_once_a_line(explained):
    """A setting that a line shows twice is told once."""
    [line] = explained("{{ settings.language }}/{{ settings.language }}")
    assert line.text == "de/de"
    assert [held.key for held in line.origins] == ["language"]


def test_settings_go_through_macros(explained):
    """A setting handed to a macro is told on the line the macro prints."""
    text = "{% macro pair(n, v) %}{{ n }} = {{ v }}{% endmacro %}{{ pair('a', settings.language) }}"
    [line] = explained(text)
    assert line.text == "a = de"
    assert [held.key for held in line.origins] == ["language"]


@pytest.mark.parametrize(
    "text",
    [
        '{% set de = settings.language == "de" %}\nname = {{ name }}\nx = {{ 1 if de else 0 }}',
        "{% set kept = settings.language %}\nname = {{ name }}\nx = {{ kept | upper }}",
        "{% set kept = [settings.language] %}\nname = {{ name }}\nx = {{ kept | join }}",
        "{% macro x(v) %}name = Ada\nx = {{ 1 if v else 0 }}{% endmacro %}{{ x(settings.language) }}",
        "{% if settings.language %}a = 1\n{% endif %}\nname = {{ name }}\nx = {{ settings.language }}",
        "{% set many = [1, 2] if settings.language else [] %}\nname = {{ name }}\nx = {{ many[1] }}",
    ],
)
def test_a_line_is_told_by_what_stands_in_it_and_nothing_before(explained, text):
    """What is kept or handed on is told where it is printed; what no line printed, on no other."""
    lines = {
        line.text.partition(" = ")[0]: [held.key for held in line.origins]
        for line in explained(text)
    }
    assert lines["name"] == []
    assert lines["x"] == ["language"]


def yealink_lines(shared: str, **changes):
    """What each line of a Yealink's files comes from, by the name of its parameter."""
    vendor = REGISTRY.vendor("yealink")
    phone = shared_phone((ROOT,), shared, mac="001565aabbcc", model="T54W", **changes)
    return {
        line.text.partition(" = ")[0]: [held.key for held in line.origins]
        for item in named_rules(phone, vendor)
        for line in explain_file(phone, vendor, item.rule)
    }


def test_values_kept_by_a_template_are_explained():
    """Do not disturb, the wallpaper and every line of a digit map name what they come from."""
    screens = {"url": "https://a.example.com/t/x/", "screens": "https://a.example.com/s/y/"}
    look = {"wallpaper": "picture/one.jpg"}
    lines = yealink_lines("restricted-user", look=look, provisioning=screens)
    assert lines["features.dnd.enable"] == ["line.incoming"]
    assert lines["account.1.dnd.enable"] == ["line.incoming"]
    assert lines["wallpaper_upload.url"] == ["picture.cover"]
    assert lines["phone_setting.backgrounds"] == ["picture.cover"]
    digit_map = [found for name, found in lines.items() if "account.1.dialplan" in name]
    assert len(digit_map) == 7
    assert all("line.outgoing" in found for found in digit_map)


def test_plain_render_has_no_marks(tmp_path):
    """Nothing of the explanation is in what a phone gets."""
    (tmp_path / "t.j2").write_text("{{ settings.language }}", encoding="utf-8")
    context = {"settings": explain.Recorded(SETTINGS)}
    assert render_template((tmp_path,), "t.j2", Syntax.YEALINK, context) == b"de"


def generated(phone):
    """The phone with every key made by a setting instead of set."""
    because = (phone.settings["language"],)
    keys = tuple(replace(key, because=because) for key in phone.keys)
    return replace(phone, keys=keys)


NEEDS_VALUE = {KeyType.BLF, KeyType.SPEED_DIAL, KeyType.PARK, KeyType.URL, KeyType.DTMF}


def every_key(vendor):
    """A phone of the vendor's model with the most keys: one of each type, none with a value."""
    types = [kind for kind in KeyType if kind not in SETS | NEEDS_VALUE]
    keys = [{"position": n, "type": str(kind)} for n, kind in enumerate(types, 1)]
    model = max(vendor.data.models, key=lambda model: model.keys or 0)
    return full_user(vendor, model=model.id, keys=keys)


@pytest.mark.parametrize("share", [3, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)
def test_explaining_changes_no_byte(vendor, share):
    """The explained lines of golden cases are the file itself, also compiled afresh."""
    environment.cache_clear()
    for phone in (*(case.phone for case in list(cases(vendor))[::share]), every_key(vendor)):
        told = generated(phone)
        for item in named_rules(told, vendor):
            lines = explain_file(told, vendor, item.rule)
            rendered = render_file(told, vendor, item.rule).decode("utf-8")
            assert "\n".join(line.text for line in lines) == rendered.replace("\r\n", "\n")


def full_user(vendor, **changes):
    """The phone of the shared case with everything a user can have, as the vendor's first model."""
    mac = vendor.data.ouis[0].ljust(12, "1") if vendor.data.ouis else None
    model = next(model for model in vendor.data.models if model.lines)
    return shared_phone((ROOT,), "full-user", **{"mac": mac, "model": model.id} | changes)


def origins(phone, vendor, key):
    """Where the lines of all files say that a setting comes from."""
    return [
        held.origin
        for item in named_rules(phone, vendor)
        for line in explain_file(phone, vendor, item.rule)
        for held in line.origins
        if held.key == key
    ]


@pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)
def test_codecs_of_a_line_are_explained(vendor):
    """In every dialect that has a line's codecs they are told to be the organisation's."""
    phone = full_user(vendor)
    expected = {Level.ORGANISATION} if "line.codecs" in used(phone, vendor) else set()
    assert {origin.level for origin in origins(phone, vendor, "line.codecs")} == expected


@pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)
def test_time_servers_are_explained(vendor):
    """In every dialect that has a time server it is told to be the organisation's."""
    phone = full_user(vendor)
    found = origins(phone, vendor, "ntp.server-1")
    files = [render_file(phone, vendor, item.rule).decode() for item in named_rules(phone, vendor)]
    assert bool(found) >= any("ntp1.example.com" in file for file in files)
    assert {origin.level for origin in found} <= {Level.ORGANISATION}
