"""What a PBX package leaves out (FEATURES A7)."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.domain.effective import Layer, Origin
from provisioning.domain.kinds import Package
from provisioning.domain.values import Level, Value

LACKS: Mapping[Package, Mapping[str, Value]] = {
    Package.UNLIMITED: {},
    Package.LIGHT: {
        "call.recording": "never",
        "feature.operator-console": False,
        "feature.several-caller-ids": False,
        "right.barge": False,
        "right.listen": False,
        "right.whisper": False,
    },
}
"""For each package the settings it holds at a value, whatever is set elsewhere."""


def package_layers(package: str) -> list[Layer]:
    """The values a package holds, locked, as the organisation's."""
    origin = Origin(Level.ORGANISATION, f"package {package}")
    return [Layer(key, value, origin, True) for key, value in LACKS[Package(package)].items()]
