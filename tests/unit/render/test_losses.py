"""What a model cannot show of what it was asked to show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.phone import Phone, Poured
from provisioning.render.cases import shared_phone
from provisioning.render.context import Most
from provisioning.render.files import render_file
from provisioning.render.losses import losses
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import load_registry
from provisioning.vendors.schema import Expansion, FileRule, Model, VendorData

ROOT = Path(__file__).parents[3] / "templates"
SHIPPED = load_registry([ROOT])
SMALL = Model(
    "S1", lines=1, keys=2, label_length=4, expansion=Expansion(modules=1, keys=1), cannot=("srtp",)
)
LARGE = Model("L1", lines=9, keys=99)
VENDOR = Vendor(
    VendorData(
        id="acme",
        name="Acme",
        models=(SMALL, LARGE),
        key_types={"line": "1", "blf": "2"},
        languages={"en": "English", "de": "German"},
        tones={"DE": "Germany"},
    ),
    (),
    (),
    {"s1": SMALL, "l1": LARGE},
)


def phone(model: str, shared: str = "minimal-user", **changes):
    """A shared case's phone of that model."""
    return shared_phone((ROOT,), shared, model=model, **changes)


def key(position: int, kind: KeyType, module: int = 0) -> dict:
    """A key as a case describes it."""
    return {"position": position, "module": module, "type": str(kind), "value": "1002"}


def test_a_phone_that_can_all_loses_nothing():
    """What fits is not in the report."""
    assert losses(phone("L1"), VENDOR) == []


def test_lines_beyond_the_last_are_named():
    """The report says how many lines there are and whose is missing."""
    [said] = losses(phone("S1", "two-users", settings={}), VENDOR)[:1]
    assert said == "S1 has 1 lines; without one: Charles Babbage."


def test_long_labels_are_told():
    """A label that is cut is told with the length that is left."""
    assert "Label of line 1 is cut after 4 characters." in losses(phone("S1"), VENDOR)


@pytest.mark.parametrize("value", ["optional", "required"])
def test_missing_encryption_is_told(value: str):
    """A model that cannot encrypt speech says so where it is asked to."""
    line = {
        "user_name": "1001", "password": "x", "display_name": "Ada",
        "server": {"registrar": "pbx.example.com"}, "settings": {"line.srtp": value},
    }  # fmt: skip
    assert "S1 cannot encrypt speech (SRTP)." in losses(phone("S1", lines=[line]), VENDOR)


@pytest.mark.parametrize(
    ("one", "modules", "said"),
    [
        (key(3, KeyType.BLF), 0, "No place is left for the key '1002'."),
        (key(1, KeyType.BLF, module=1), 0, "No place is left for the key '1002'."),
        (key(1, KeyType.BLF, module=2), 2, "No place is left for the key '1002'."),
        (key(2, KeyType.BLF, module=1), 1, "No place is left for the key '1002'."),
        (key(1, KeyType.PARK), 0, "Key 1: the dialect has no key of type park."),
    ],
)
def test_lost_keys_are_told(one: dict, modules: int, said: str):
    """A key without a place, a module or a type of the dialect is told."""
    assert said in losses(phone("S1", keys=[one], expansion_modules=modules), VENDOR)


def test_kept_keys_are_not_told():
    """Keys on the phone and on an attached module are no loss."""
    keys = [key(2, KeyType.BLF), key(1, KeyType.BLF, module=1)]
    said = losses(phone("S1", keys=keys, expansion_modules=1), VENDOR)
    assert not any(sentence.startswith("Key") for sentence in said)


def guest(vendor: str, model: str, *keys: dict) -> Phone:
    """A phone with keys at which somebody has logged in, whose PBX has a code for it alone."""
    ouis = SHIPPED.vendor(vendor).data.ouis
    mac = ouis[0].ljust(12, "1") if ouis else None
    pbx = {"registrar": "pbx.example.com", "codes": {"hotdesk": "*12"}}
    line = {"user_name": "1004", "password": "x", "display_name": "Grace", "server": pbx}
    changes = {"mac": mac, "keys": list(keys), "provisioning": {}, "lines": [line]}
    return phone(model, "hotdesk-guest", **changes)


@pytest.mark.parametrize(
    "name",
    [
        "audiocodes", "digium", "fanvil", "flyingvoice", "gigaset-maxwell", "panasonic", "sangoma",
    ],
)  # fmt: skip
def test_mute_keys_are_told_beside_a_key_that_dials_to_log_out(name: str):
    """A key without a code is told as well where the key to log in or out is a dialled code."""
    vendor = SHIPPED.vendor(name)
    model = max(vendor.data.models, key=lambda model: model.keys or 0)
    mute = {"position": 3, "type": "group-pickup"}
    said = losses(guest(name, model.id, mute), vendor)
    assert any(sentence.startswith("Key 3: no key of type group-pickup") for sentence in said)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_pin_that_may_not_be_seen_is_told_where_it_costs_the_key_to_log_in(allowed: bool):
    """The loss report names the rule that keeps the screen away, as long as it does."""
    said = losses(
        phone("X5U", "pool-guest", mac="0c383e000011", open_pin=allowed), SHIPPED.vendor("fanvil")
    )
    assert any("'hotdesk.open-pin' is off" in sentence for sentence in said) is not allowed
    assert any("no key to log in" in sentence for sentence in said) is not allowed


def test_an_intercom_shows_no_screen_though_a_pin_may_be_seen():
    """The rule gives a login key to phones with a browser alone."""
    made = phone("i53W", "pool-guest", mac="0c383e000011", open_pin=True)
    said = losses(made, SHIPPED.vendor("fanvil"))
    assert any("no key to log in" in sentence and "no screen" in sentence for sentence in said)


def test_a_key_to_log_in_without_a_place_leaves_one_that_has():
    """Where the key somebody set has no place on the phone, there is one to log out all the same."""
    vendor = SHIPPED.vendor("yealink")
    model = vendor.model("T31G")
    for own in (key(12, KeyType.LOGIN) | {"value": ""}, key(2, KeyType.LOGIN) | {"value": ""}):
        placed, _ = Most(vendor, model).layout(guest("yealink", "T31G", own))
        assert placed[KeyAddress(Area.LINE, 0, 2)].value == "*12"


def test_a_poured_key_to_log_in_counts_where_it_finds_a_place():
    """A key of a person's own list opens the screen where it lies, and else one is added."""
    vendor = SHIPPED.vendor("yealink")
    own = Key(KeyAddress(Area.LINE, 0, 1), KeyType.LOGIN, label="Out")
    full = [Key(own.address, KeyType.BLF, "1002")] * 9
    for poured, labels in (([own, *full], ["Out"]), ([*full, own], ["Déconnexion"])):
        seated = replace(guest("yealink", "T31G"), poured=(Poured(own.address, tuple(poured)),))
        placed, _ = Most(vendor, vendor.model("T31G")).layout(seated)
        assert [each.label for each in placed.values() if each.value == "*12"] == labels


def handset(number: int) -> dict:
    """The line of a handset at a base; the third may not call out."""
    settings = {"line.outgoing": "disabled"} if number == 3 else {}
    return {
        "user_name": f"10{number:02}", "password": "x", "display_name": f"Handset {number}",
        "server": {"registrar": "pbx.example.com"}, "settings": settings,
    }  # fmt: skip


def test_a_base_is_rendered_as_often_for_many_lines_as_for_few(monkeypatch):
    """What one of many may not is found without rendering the base for each of them."""
    vendor, rendered = SHIPPED.vendor("snom-dect"), []

    def counting(phone: Phone, vendor: Vendor, rule: FileRule) -> bytes:
        rendered.append(len(phone.lines))
        return render_file(phone, vendor, rule)

    monkeypatch.setattr("provisioning.render.losses.render_file", counting)
    for people in (4, 12):
        stations = [{"number": n, "lines": [handset(n)]} for n in range(1, people + 1)]
        losses(phone("M900", "dect-base", mac="0004131bcdef", stations=stations), vendor)
    assert rendered.count(4) == rendered.count(12) > 0


def words(said: list[str]) -> list[str]:
    """The losses, but for settings that the templates of these tests do not look at."""
    return [sentence for sentence in said if "has no effect" not in sentence]


def test_missing_language_and_tones_are_told():
    """Words the dialect does not have are told; a language without its region is one it has."""
    settings = {"language": "fi", "tone.country": "FI"}
    said = words(losses(phone("L1", settings=settings), VENDOR))
    assert said == [
        "The phones of Acme have no language 'fi'; English is shown.",
        "The phones of Acme have no tones of 'FI'; theirs are used.",
    ]
    known = {"language": "de-AT", "tone.country": "DE"}
    assert words(losses(phone("L1", settings=known), VENDOR)) == []


def test_unknown_model_is_not_blamed():
    """Of a model nobody knows, nothing is claimed to be lost that it may well have."""
    assert words(losses(phone("never heard of", "two-users", settings={}), VENDOR)) == []


def test_settings_without_effect_are_told():
    """A setting somebody chose that no file of the phone looks at is told by its key."""
    said = losses(phone("L1", settings={"idle.text": "Hello"}), VENDOR)
    assert "The setting 'idle.text' has no effect in this phone's files." in said
    shipped = SHIPPED.vendor("yealink")
    full = losses(phone("T54W", "full-user", mac="001565aabbcc"), shipped)
    effectless = [sentence for sentence in full if "no effect" in sentence]
    assert effectless == []


def test_what_no_phone_of_a_dialect_has_is_told_as_such():
    """Linphone never polls: the report says that nothing is left to find."""
    shipped = SHIPPED.vendor("linphone")
    changes = {"settings": {"provisioning.poll-minutes": 60}}
    said = losses(shared_phone((ROOT,), "minimal-user", model="Linphone", **changes), shipped)
    assert said == [
        "The setting 'provisioning.poll-minutes' has no effect: no phone of Linphone has it."
    ]


def test_every_model_can_report():
    """The full case gives whole sentences for every shipped model."""
    for vendor in SHIPPED:
        for model in vendor.data.models:
            for sentence in losses(phone(model.id, "full-user"), vendor):
                assert sentence.endswith(".")


def test_key_address_orders_by_place():
    """Keys are counted on the phone first, then module by module."""
    phone_key = Key(KeyAddress(Area.LINE, 0, 2), KeyType.LINE)
    module_key = Key(KeyAddress(Area.LINE, 1, 1), KeyType.LINE)
    assert phone_key.address < module_key.address
