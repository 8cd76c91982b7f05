"""What a PBX package leaves out (FEATURES A7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from provisioning.domain.effective import Layer, Origin
from provisioning.domain.errors import DowngradeRefused
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


_SIZE = (Package.LIGHT, Package.UNLIMITED)
"""The packages, the smallest first."""


def check_change(
    held: str, wanted: str, *, contract_until: date | None, curing_until: date | None, today: date
) -> None:
    """Raise DowngradeRefused for a smaller package without a contract or in a curing period.

    Both dates are last days. A larger package is taken at any time.
    """
    if _SIZE.index(Package(wanted)) >= _SIZE.index(Package(held)):
        return
    if contract_until is None or contract_until < today:
        ended = f"ended on {contract_until}" if contract_until else "has no date"
        raise DowngradeRefused(
            f"The package '{wanted}' needs a contract that runs; this one {ended}.",
            remedy="Renew the contract with the operator of this server first.",
            field="package",
        )
    if curing_until is not None and curing_until >= today:
        raise DowngradeRefused(
            f"A curing period runs until {curing_until}; until then the package stays '{held}'.",
            remedy=f"Ask again after {curing_until}; the contract runs until {contract_until}.",
            field="package",
        )


def package_layers(package: str) -> list[Layer]:
    """The values a package holds, locked, as the organisation's."""
    origin = Origin(Level.ORGANISATION, f"package {package}")
    return [Layer(key, value, origin, True) for key, value in LACKS[Package(package)].items()]
