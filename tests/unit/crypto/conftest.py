"""One CA for all tests of certificates: making an RSA key takes a noticeable time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.crypto.authority import Authority

NAMES = ["phones.example.com", "192.0.2.10"]


@pytest.fixture(scope="session")
def now():
    """The moment at which the tests' certificates are made."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="session")
def made(tmp_path_factory, now):
    """A folder with a CA and both server chains, which no test may change."""
    folder = tmp_path_factory.mktemp("certs")
    Authority.load_or_create(folder, now).ensure_chain(NAMES, now)
    return folder


@pytest.fixture
def certs(made, tmp_path):
    """A copy of the made folder that a test may change."""
    folder = tmp_path / "certs"
    for source in made.rglob("*.pem"):
        target = folder / source.relative_to(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(source.stat().st_mode)
    return folder


@pytest.fixture
def authority(certs: Path, now) -> Authority:
    """The CA of the copy."""
    return Authority.load_or_create(certs, now)
