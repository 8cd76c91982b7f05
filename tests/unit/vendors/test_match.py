"""Who is asking, as far as the User-Agent, the MAC's prefix and the file name show it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.mac import Mac
from provisioning.vendors.match import Recognition, read_name, recognise
from provisioning.vendors.registry import Registry, load_registry

SHIPPED = load_registry([Path(__file__).parents[3] / "templates"])
VENDOR = """
id = "{id}"
name = "{id}"
ouis = ["{oui}"]
asks = ["{id}.rom"]

[[user_agents]]
pattern = '^{brand} (?P<model>[A-Z0-9-]+)(?: (?P<fw>[0-9.]+))?(?: (?P<mac>[0-9A-Fa-f:]{{12,17}}))?'
examples = [{{ text = "{brand} X 1", model = "X", firmware = "1" }}]

[traits]
code = 0
old = false

[[files]]
id = "config"
pattern = "{{mac}}.cfg"
template = "t.j2"
syntax = "yealink"
session = true
only = {{ old = false }}

[[files]]
id = "old"
pattern = "{id}-old-{{mac}}.cfg"
template = "t.j2"
syntax = "yealink"
only = {{ old = true }}

[[files]]
id = "common"
pattern = "{id}{{code:4}}.cfg"
template = "t.j2"
syntax = "yealink"

[[files]]
id = "model"
pattern = "{id}-{{model}}.cfg"
template = "t.j2"
syntax = "yealink"

[[models]]
id = "{model}1"
traits = {{ code = 1 }}

[[models]]
id = "{model}2"
traits = {{ code = 2 }}

[[models]]
id = "{model}3"
traits = {{ code = 2, old = true }}
"""
MAC = "aabbcc112233"


@pytest.fixture
def registry(write, load) -> Registry:
    """Two makers, the second of whom has a dialect for each of two families."""
    for name, brand, oui, model in (
        ("acme", "Acme", "aabbcc", "A"),
        ("zoom", "Zoom", "ddeeff", "Z"),
        ("zoom-dect", "Zoom", "ddeef0", "W"),
    ):
        write(name, VENDOR.format(id=name, brand=brand, oui=oui, model=model), "t.j2")
    registry = load()
    assert registry.disabled == {}
    return registry


def summary(found: Recognition) -> tuple[str, str]:
    """The ids of vendor and model, empty where unknown."""
    return (
        found.vendor.id if found.vendor else "",
        found.model.id if found.model else "",
    )


def test_user_agent_tells_all(registry: Registry):
    """Vendor, model, firmware and the MAC it names are read from the User-Agent."""
    found = recognise(registry, name=None, user_agent="Acme a-1 2.3 AA:BB:CC:11:22:33")
    assert summary(found) == ("", "")
    found = recognise(registry, name=None, user_agent="Acme A-1 2.3 AA:BB:CC:11:22:33")
    assert summary(found) == ("acme", "A1")
    assert (found.model_name, found.firmware) == ("A-1", "2.3")
    assert (found.mac, found.agent_mac) == (None, Mac(MAC))


def test_user_agent_goes_before_the_prefix(registry: Registry):
    """A phone that names its maker is of that maker, whoever's prefix its MAC has."""
    found = recognise(registry, name=f"{MAC}.cfg", user_agent="Zoom Z1 1")
    assert summary(found) == ("zoom", "Z1")
    assert found.mac == Mac(MAC)


def test_macs_of_name_and_agent_are_kept_apart(registry: Registry):
    """A User-Agent that names another MAC than the file does not change the file's."""
    found = recognise(registry, name=f"{MAC}.cfg", user_agent="Acme A1 1 aabbcc445566")
    assert (found.mac, found.agent_mac) == (Mac(MAC), Mac("aabbcc445566"))


@pytest.mark.parametrize("mac", ["000000000000", "zz", ""])
def test_agent_with_a_broken_mac_is_still_recognised(registry: Registry, mac: str):
    """A MAC no device has is left out; the rest of the User-Agent counts."""
    found = recognise(registry, name=None, user_agent=f"Acme A1 1.0 {mac}")
    assert summary(found) == ("acme", "A1")
    assert found.agent_mac is None


def test_dialect_that_knows_the_model_is_meant(registry: Registry):
    """Two dialects of one brand share a form of User-Agent; the model decides."""
    assert summary(recognise(registry, name=None, user_agent="Zoom Z2 1")) == ("zoom", "Z2")
    assert summary(recognise(registry, name=None, user_agent="Zoom W2 1")) == ("zoom-dect", "W2")


def test_unknown_model_keeps_its_name(registry: Registry):
    """A model nobody knows is told by the name it gives itself."""
    found = recognise(registry, name=None, user_agent="Acme A9 1")
    assert summary(found) == ("acme", "")
    assert found.model_name == "A9"


def test_prefix_decides_without_agent(registry: Registry):
    """Without a User-Agent the owner of the MAC's prefix is meant."""
    assert summary(recognise(registry, name=f"{MAC}.cfg")) == ("acme", "")
    found = recognise(registry, name="ddeeff112233.cfg", user_agent="curl/8")
    assert summary(found) == ("zoom", "")


def test_shared_name_with_a_strange_prefix_shows_nobody(registry: Registry):
    """A name of several makers with a MAC of none shows only the MAC."""
    found = recognise(registry, name="001565112233.cfg")
    assert summary(found) == ("", "")
    assert found.mac == Mac("001565112233")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme.rom", ("acme", "")),
        ("ACME0001.CFG", ("acme", "A1")),
        ("acme0002.cfg", ("acme", "")),
        ("acme-A2.cfg", ("acme", "A2")),
        ("acme-a3.cfg", ("acme", "A3")),
        ("zoom0001.cfg", ("zoom", "Z1")),
        ("acme-old-001565112233.cfg", ("acme", "")),
        ("other.cfg", ("", "")),
    ],
)
def test_name_of_one_maker_decides(registry: Registry, name: str, expected):
    """A name only one maker knows shows it, and the model if only one has its number."""
    assert summary(recognise(registry, name=name)) == expected


@given(agent=st.text(max_size=600), name=st.none() | st.text(max_size=130))
def test_anything_can_be_asked(agent: str, name: str | None):
    """No User-Agent and no name makes recognising fail."""
    found = recognise(SHIPPED, name=name, user_agent=agent)
    assert found.vendor is None or found.vendor.id in SHIPPED.vendors


def test_long_user_agents_are_cut(registry: Registry):
    """Only the beginning of a User-Agent is read."""
    found = recognise(registry, name=None, user_agent="Acme " + "A" * 100_000)
    assert len(found.model_name) < 600


def test_name_is_read_by_the_rules_of_the_model(registry: Registry):
    """A rule for other models does not read a name; what is only asked for has no rule."""
    acme = registry.vendor("acme")
    named = read_name(acme, f"{MAC}.cfg", acme.model("A1"))
    assert named is not None
    assert named.rule is not None
    assert named.rule.id == "config"
    assert read_name(acme, f"{MAC}.cfg", acme.model("A3")) is None
    old = read_name(acme, f"acme-old-{MAC}.cfg", acme.model("A3"))
    assert old is not None
    assert old.found.mac == Mac(MAC)
    asked = read_name(acme, "acme.rom")
    assert asked is not None
    assert asked.rule is None
    assert read_name(acme, "zoom.rom") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("y000000000096.cfg", ("yealink", "T54W")),
        ("y000000000146.cfg", ("yealink-dect", "W70B")),
        ("snomD735.htm", ("snom", "D735")),
        ("snomM900.htm", ("snom-dect", "M900")),
        ("cfgdp750.xml", ("grandstream-dect", "DP750")),
        ("cfg.xml", ("grandstream", "")),
    ],
)
def test_dialects_of_a_brand_are_told_apart(name: str, expected):
    """Of a brand's dialects the one that knows the model is meant, without one the first."""
    assert summary(recognise(SHIPPED, name=name)) == expected


def test_reading_that_knows_the_model_goes_first():
    """A longer name is not taken for a shorter one with a model nobody knows."""
    snom = SHIPPED.vendor("snom-dect")
    named = read_name(snom, "snomM900-firmware.htm", snom.model("M900"))
    assert named is not None
    assert named.rule is None
    assert named.found.model == "M900"
