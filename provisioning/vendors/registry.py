"""All vendors, those that serve and those that are disabled with their reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.domain.errors import BadVendorFolder, UnknownModel, UnknownVendor
from provisioning.domain.mac import Mac
from provisioning.vendors.load import Vendor, load_vendor
from provisioning.vendors.schema import Model

SHARED = "_shared"
"""The folder of macros and cases that all dialects use."""


@dataclass(frozen=True)
class Registry:
    """The loaded vendors by id, and for each disabled folder why it is."""

    vendors: dict[str, Vendor]
    disabled: dict[str, str] = field(default_factory=dict)
    roots: tuple[Path, ...] = ()

    def __iter__(self) -> Iterator[Vendor]:
        return iter(self.vendors.values())

    def vendor(self, vendor_id: str) -> Vendor:
        """The vendor of that id; raises UnknownVendor."""
        if vendor_id not in self.vendors:
            raise UnknownVendor(
                f"There is no vendor '{vendor_id[:40]}'.",
                remedy="Give one of: " + ", ".join(sorted(self.vendors)) + ".",
                field="vendor",
            )
        return self.vendors[vendor_id]

    def model(self, vendor_id: str, name: str) -> Model:
        """The model of that name; raises UnknownVendor or UnknownModel."""
        model = self.vendor(vendor_id).model(name)
        if model is None:
            raise UnknownModel(
                f"The vendor '{vendor_id}' has no model '{name[:40]}'.",
                remedy=f"GET /api/v1/vendors/{vendor_id} lists its models; leave it out if unsure.",
                field="model",
            )
        return model

    def by_oui(self, mac: Mac) -> list[Vendor]:
        """The vendors that own the MAC's prefix, those with the longest prefix first."""
        found = []
        for vendor in self:
            lengths = [len(oui) for oui in vendor.data.ouis if mac.digits.startswith(oui)]
            if lengths:
                found.append((max(lengths), vendor))
        return [vendor for _, vendor in sorted(found, key=lambda item: -item[0])]


def load_registry(roots: Sequence[Path]) -> Registry:
    """Load every vendor folder below ``roots``; the first root overrides the later, file by file.

    A folder that breaks the schema is disabled with its reason; the others serve.
    """
    names = {
        folder.name
        for root in roots
        if root.is_dir()
        for folder in root.iterdir()
        if folder.is_dir() and not folder.name.startswith(("_", "."))
    }
    vendors: dict[str, Vendor] = {}
    disabled: dict[str, str] = {}
    for name in sorted(names):
        folders = [root / name for root in roots if (root / name).is_dir()]
        if not any((folder / "vendor.toml").is_file() for folder in folders):
            disabled[name] = f"{folders[0]}: vendor.toml is missing."
            continue
        try:
            vendors[name] = load_vendor(folders, roots)
        except BadVendorFolder as error:
            disabled[name] = str(error)
    return Registry(vendors, disabled, tuple(roots))
