"""What a folder leaves unsaid that an admin needs to know of its phones."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.usecases.checks.finding import Finding, Severity, line_named
from provisioning.usecases.checks.overlaps import vendor_file
from provisioning.vendors.load import Vendor


def silences(vendor: Vendor) -> Iterator[Finding]:
    """A folder that leaves out how its phones are led to us and told, or what they trust, and why."""
    tls, adopt, reload = vendor.data.tls, vendor.data.adopt, vendor.data.reload
    said = {
        "adopt": (bool(adopt.parameters), adopt.none),
        "tls": (tls.public or tls.delivery or tls.inline, tls.none),
        "reload": (bool(reload.notify or reload.reboot or reload.http), reload.none),
    }
    file = vendor_file(vendor)
    for table, (something, reason) in said.items():
        if vendor.data.files and something == bool(reason):
            what = "says both something and why nothing" if reason else "says nothing"
            yield Finding(
                vendor.id, file, line_named(file, f"'{table}'"), f"[{table}] {what}.",
                f'Write what a source gives, or {table}.none = "why not".',
                Severity.WARNING,
            )  # fmt: skip
