"""What a barred line and a blocked phone get of the directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.render.cases import shared_phone
from provisioning.render.files import named_rules, render_file
from provisioning.vendors.registry import load_registry

ROOT = Path(__file__).parents[3] / "templates"
REGISTRY = load_registry([ROOT])


def files(vendor: str, model: str, shared: str, **changes) -> str:
    """All files of a phone, one behind the other."""
    loaded = REGISTRY.vendor(vendor)
    mac = loaded.data.ouis[0].ljust(12, "1") if loaded.data.ouis else None
    seen = shared_phone((ROOT,), shared, model=model, mac=mac, **changes)
    return "".join(
        render_file(seen, loaded, item.rule).decode() for item in named_rules(seen, loaded)
    )


def test_a_spare_line_is_barred_from_the_directory():
    """Beside a person's line the place's own dials from the directory by its map too."""
    line = {"password": "x", "display_name": "Desk", "server": {"registrar": "pbx.example.com"}}
    barred = {"of_place": True, "spare": True, "settings": {"line.outgoing": "disabled"}}
    lines = [{"user_name": "1001", **line}, {"user_name": "4001", **line, **barred}]
    text = files("poly-ucs", "VVX 450", "hotdesk-guest", lines=lines)
    assert 'dialplan.applyToDirectoryDial="1"' in text


@pytest.mark.parametrize("vendor", list(REGISTRY), ids=lambda vendor: vendor.id)
def test_a_blocked_phone_has_no_book_from_elsewhere(vendor):
    """No dialect leaves a blocked phone the URL of a phone book that somebody set."""
    settings = {"phonebook.url": "https://book.example.com/book.xml"}
    for model in vendor.data.models[:1] + vendor.data.models[-1:]:
        assert "book.example.com" not in files(vendor.id, model.id, "blanked", settings=settings)
