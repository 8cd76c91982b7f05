"""Reading vendor folders: every fault is found, and its message says what to write."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import BadVendorFolder, UnknownModel, UnknownVendor
from provisioning.domain.mac import Mac
from provisioning.vendors.load import load_vendor
from provisioning.vendors.registry import load_registry

GOOD = """
id = "acme"
name = "Acme"
ouis = ["aabbcc", "aabbcc1"]
boot = ["config", "{model}.rom"]
asks = ["{model}.rom"]

[[user_agents]]
pattern = '^Acme (?P<model>[A-Z0-9]+) (?P<fw>[0-9.]+) (?P<mac>[0-9a-f]{12})'
examples = [{ text = "Acme A1 1.2 aabbcc112233", model = "A1", firmware = "1.2", mac = "aabbcc112233" }]

[traits]
code = 0

[[files]]
id = "config"
pattern = "{mac}.cfg"
template = "config.j2"
syntax = "yealink"
session = true

[[models]]
id = "A 1"
names = ["A_1_PLUS"]
traits = { code = 1 }

[[models]]
id = "A2"
"""


def replaced(old: str, new: str) -> str:
    """The good folder with one thing changed."""
    assert old in GOOD
    return GOOD.replace(old, new)


FAULTS = {
    "not TOML": ("id = acme", "not TOML"),
    "another id": (replaced('id = "acme"', 'id = "apex"'), 'Write id = "acme".'),
    "no name": (replaced('name = "Acme"', ""), "'name' is missing; write it."),
    "unknown key": (GOOD + "\n[colours]\n", "'colours' is not a key of the schema; remove it"),
    "unknown key of a model": (
        replaced("[[models]]\nid", "[[models]]\nline = 2\nid"),
        "line' is not a key of the schema; remove it",
    ),
    "no such kind": (GOOD + '\nkind = "fax"\n', "'models.1.kind' is 'fax'; write one of 'desk'"),
    "no such syntax": (replaced('"yealink"', '"csv"'), "'files.0.syntax' is 'csv'; write one of"),
    "text for a number": (GOOD + '\nlines = "two"\n', "'models.1.lines' is 'two'; input should be"),
    "upper-case OUI": (
        replaced('"aabbcc"', '"AABBCC"'),
        "OUI 'AABBCC' must be 6 to 9 lower-case hex digits.",
    ),
    "long OUI": (replaced('"aabbcc"', '"aabbccddee"'), "must be 6 to 9"),
    "template missing": (
        replaced("config.j2", "other.j2"),
        "file 'config': template 'other.j2' is not in the folder; write it or mend the name.",
    ),
    "a person's file for everybody": (
        GOOD
        + """[native]
key = "own"
file = "person.cfg"
uploads = "{user}.txt"
template = "config.j2"
syntax = "yealink"
""",
        "native: 'person.cfg' must hold {user} once; mend the name.",
    ),
    "a person's file of no template": (
        GOOD
        + """[native]
key = "own"
file = "{user}.cfg"
uploads = "{user}.txt"
template = "other.j2"
syntax = "yealink"
only = { large = true }
""",
        "native: only.large has no default; add it to [traits].",
    ),
    "secret by MAC is open": (
        replaced("session = true", "session = true\nsecret = false"),
        "file 'config': a name with a MAC must be secret, or it tells who exists.",
    ),
    "no session file": (
        replaced("session = true", ""),
        "no file has session = true; mark the one that holds what a login changes.",
    ),
    "trait without default": (
        replaced("code = 1", "code = 1, colour = true"),
        "model 'A 1': trait 'colour' has no default; add it to [traits].",
    ),
    "rule of an unknown trait": (
        replaced("session = true", "session = true\nonly = { old = true }"),
        "file 'config': only.old has no default; add it to [traits].",
    ),
    "brace in a pattern": (
        replaced('pattern = "{mac}.cfg"', 'pattern = "{serial}.cfg"'),
        "'{serial}.cfg' is no file name pattern; see docs/vendors.md.",
    ),
    "folder in a pattern": (
        replaced('pattern = "{mac}.cfg"', 'pattern = "cfg/{mac}.cfg"'),
        "'cfg/{mac}.cfg' is no file name pattern",
    ),
    "two MACs in a pattern": (
        replaced('pattern = "{mac}.cfg"', 'pattern = "{mac}-{mac}.cfg"'),
        "'{mac}-{mac}.cfg' is no file name pattern",
    ),
    "words of zones that are none": (
        GOOD + '\n[[zones]]\nform = "codes"\n',
        "zones entry 1: form 'codes' needs words; write them in [timezones].",
    ),
    "fallback without words": (
        GOOD + '\n[[zones]]\nform = "rule"\nfallback = "GMT"\n',
        "zones entry 1: fallback is for the form 'codes'; remove it.",
    ),
    "offset in seconds": (
        GOOD + '\n[[zones]]\nform = "rule"\noffsets = [3600]\n',
        "zones entry 1: offset 3600 is none in minutes; write -720 to 840.",
    ),
    "saving of nothing": (
        GOOD + '\n[[zones]]\nform = "rule"\nsavings = [0]\n',
        "zones entry 1: saving 0 must be above 0; mend it.",
    ),
    "zones of a trait without default": (
        GOOD + '\n[[zones]]\nform = "rule"\nonly = { colour = true }\n',
        "zones entry 1: only.colour has no default; add it to [traits].",
    ),
    "request that opens no screen": (
        GOOD + '\n[reload.http]\npath = "/open?url={screen}"\n',
        "reload.http: {screen} needs a screens entry that reloads; set it, or ask otherwise.",
    ),
    "unknown form of zones": (
        GOOD + '\n[[zones]]\nform = "guess"\n',
        "'zones.0.form' is 'guess'; write one of",
    ),
    "what no phone has is unknown": (
        replaced("boot = [", 'cannot = ["poll-minutes"]\nboot = ['),
        "cannot: 'poll-minutes' is no setting and no type of key; mend the name.",
    ),
    "unknown step of the boot": (
        replaced('boot = ["config"', 'boot = ["firmware"'),
        "boot: 'firmware' is neither a file's id nor among asks; add it to one.",
    ),
    "two models of one name": (
        replaced('id = "A2"', 'id = "a-1-plus"'),
        "model 'a-1-plus': the name 'a1plus' is also of 'A 1'; take it from one.",
    ),
    "pattern that is none": (replaced("^Acme (", "^Acme (("), "user agent pattern '^Acme (("),
    "group nobody reads": (
        replaced("(?P<fw>", "(?P<version>"),
        "user agent groups ['version']; only model, fw, fw2, mac and handsets are read.",
    ),
    "example that does not match": (
        replaced('text = "Acme A1', 'text = "Apex A1'),
        "user agent example 'Apex A1 1.2 aabbcc112233' does not match its pattern; mend one of them.",
    ),
    "example read otherwise": (
        replaced('firmware = "1.2"', 'firmware = "1.3"'),
        "firmware is '1.2', not '1.3'; mend one.",
    ),
    "key type that is none": (
        GOOD + '\n[key_types]\nfax = "14"\n',
        "key_types.fax is no key type; write one of none, line, shared-line",
    ),
}


def test_good_folder_is_loaded(write):
    """A folder without fault gives its vendor, and its models under every name."""
    vendor = load_vendor([write("acme", GOOD, "config.j2")])
    assert vendor.id == "acme"
    assert vendor.model("a-1") is vendor.model("A_1_plus") is vendor.data.models[0]
    assert vendor.model("A3") is None
    assert vendor.trait(vendor.model("A1"), "code") == 1
    assert vendor.trait(vendor.model("A2"), "code") == vendor.trait(None, "code") == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_told(write, fault: str):
    """Each fault stops the folder, and the message names the file and what to write."""
    toml, said = FAULTS[fault]
    folder = write("acme", toml, "config.j2")
    with pytest.raises(BadVendorFolder) as caught:
        load_vendor([folder])
    assert said in str(caught.value)
    assert str(folder / "vendor.toml") in caught.value.what
    assert caught.value.field == "acme"


def test_all_faults_are_told_at_once(write):
    """A folder with several faults is told all of them, one a line."""
    toml = replaced("session = true", "").replace('"aabbcc"', '"xyz"')
    with pytest.raises(BadVendorFolder) as caught:
        load_vendor([write("acme", toml)])
    assert len(caught.value.what.splitlines()) == 3


def test_text_that_is_not_utf8_is_told(write):
    """A vendor.toml in another encoding is told to be saved as UTF-8."""
    folder = write("acme", GOOD, "config.j2")
    (folder / "vendor.toml").write_bytes(b'id = "acm\xe9"')
    with pytest.raises(BadVendorFolder, match="Save it as UTF-8"):
        load_vendor([folder])


def test_faulty_folder_is_disabled_and_the_others_serve(write, load):
    """A bad folder is disabled with its reason; its neighbour is loaded."""
    write("acme", GOOD, "config.j2")
    write("apex", "nonsense")
    write("atom", "").joinpath("vendor.toml").unlink()
    write("_shared", "nonsense")
    registry = load()
    assert set(registry.vendors) == {"acme"}
    assert set(registry.disabled) == {"apex", "atom"}
    assert "not TOML" in registry.disabled["apex"]
    assert "vendor.toml is missing" in registry.disabled["atom"]


def test_own_folder_overrides_file_by_file(write, root, tmp_path):
    """A file of the first root goes before the same file of the later ones, the rest stay."""
    write("acme", GOOD, "config.j2", "more.j2")
    own = tmp_path / "own"
    (own / "acme").mkdir(parents=True)
    (own / "acme" / "config.j2").write_text("mine", encoding="utf-8")
    vendor = load_registry([own, root]).vendor("acme")
    assert vendor.template("config.j2") == own / "acme" / "config.j2"
    assert vendor.template("more.j2") == root / "acme" / "more.j2"
    assert vendor.template("none.j2") is None


def test_own_vendor_toml_replaces_the_shipped_one(write, root, tmp_path):
    """An operator's vendor.toml is read instead of the shipped one."""
    write("acme", GOOD, "config.j2")
    own = tmp_path / "own"
    write("acme", replaced('name = "Acme"', 'name = "Ours"'), where=own)
    assert load_registry([own, root]).vendor("acme").data.name == "Ours"


def test_root_that_is_missing_is_no_fault(write, root, tmp_path):
    """A folder of vendors that does not exist holds none."""
    write("acme", GOOD, "config.j2")
    assert set(load_registry([tmp_path / "none", root]).vendors) == {"acme"}


def test_unknown_vendor_and_model_are_told(write, load):
    """Asking for what is not there says what is."""
    write("acme", GOOD, "config.j2")
    registry = load()
    assert registry.model("acme", "a1").id == "A 1"
    with pytest.raises(UnknownVendor, match="Give one of: acme"):
        registry.vendor("apex")
    with pytest.raises(UnknownModel, match="has no model 'A9'"):
        registry.model("acme", "A9")


def test_longest_prefix_comes_first(write, load):
    """Where two vendors own a prefix, the one with the longer prefix is named first."""
    write("acme", GOOD.replace(', "aabbcc1"', ""), "config.j2")
    write("apex", GOOD.replace("acme", "apex").replace('"aabbcc", ', ""), "config.j2")
    registry = load()
    assert [v.id for v in registry.by_oui(Mac("aabbcc112233"))] == ["apex", "acme"]
    assert [v.id for v in registry.by_oui(Mac("aabbcc212233"))] == ["acme"]
    assert registry.by_oui(Mac("0015651122aa")) == []


@pytest.mark.parametrize(
    ("firmware", "rule"),
    [
        ("", "new"),
        ("unknown", "new"),
        ("2.2.9", "old"),
        ("2.2", "old"),
        ("2.2.10", "new"),
        ("2.12", "new"),
        ("10.0", "new"),
    ],
)
def test_rules_of_one_name_are_told_apart_by_firmware(write, load, firmware: str, rule: str):
    """Of two rules with one name the phone has that of its firmware; unknown counts as current."""
    old = replaced("session = true", 'session = true\nfirmware_below = "2.2.10"').replace(
        'id = "config"', 'id = "old"'
    )
    new = """
[[files]]
id = "new"
pattern = "{mac}.cfg"
template = "config.j2"
syntax = "xml"
firmware_from = "2.2.10"
"""
    write("acme", old.replace('boot = ["config", ', 'boot = ["new", ') + new, "config.j2")
    [found] = load().vendor("acme").rules_for(None, firmware)
    assert found.id == rule
