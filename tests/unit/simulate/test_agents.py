"""A virtual phone calls itself what a real one of its model does."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.domain.mac import Mac
from provisioning.simulate.agents import user_agent
from provisioning.vendors.match import recognise
from provisioning.vendors.registry import load_registry

REGISTRY = load_registry([Path(__file__).resolve().parents[3] / "templates"])
# Their User-Agents name no model.
NAMELESS = {"linphone"}
READABLE = [
    vendor
    for vendor in REGISTRY
    if vendor.data.readback and vendor.data.user_agents and vendor.id not in NAMELESS
]


@pytest.mark.parametrize("vendor", READABLE, ids=lambda vendor: vendor.id)
def test_every_model_is_recognised_by_what_it_calls_itself(vendor):
    """The whole registry takes the made-up User-Agent for a phone of that very model."""
    mac = Mac.parse(vendor.data.ouis[0].ljust(12, "1"))
    wrong = {
        model.id: agent.text
        for model in vendor.data.models
        if (agent := user_agent(vendor, model, mac))
        and recognise(REGISTRY, name=None, user_agent=agent.text).model is not model
    }
    assert wrong == {}


def test_mac_and_firmware_are_the_phones_own():
    """The MAC is written as the example writes it, the firmware as given."""
    vendor = REGISTRY.vendor("mitel")
    agent = user_agent(vendor, vendor.model("6930"), Mac.parse("1400e9abcdef"), "6.9.9")
    assert agent.text == "Mitel6930 MAC:14-00-E9-AB-CD-EF V:6.9.9-SIP"
    assert agent.firmware == "6.9.9"
