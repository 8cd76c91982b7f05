"""The wheel: what is installed without the checkout is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LOAD = """
import provisioning
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.registry import load_registry
registry = load_registry([shipped_root()])
print(provisioning.__file__)
print(shipped_root())
print(*sorted(registry.vendors))
print(*registry.disabled.values())
"""


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    """What a program prints; the test fails if it does not succeed."""
    ran = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environ},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as its wheel installs it."""
    place = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", place, ROOT, cwd=place)
    (wheel,) = place.glob("*.whl")
    target = place / "installed"
    run(*pip, "install", "--no-deps", "--no-index", "--target", target, wheel, cwd=place)
    return target


def test_wheel_brings_its_vendor_folders(installed):
    """The installed package loads every shipped vendor from inside itself."""
    printed = run(sys.executable, "-c", LOAD, cwd=installed.parent, PYTHONPATH=str(installed))
    package, root, vendors, disabled = printed.split("\n")[:4]
    assert package == str(installed / "provisioning" / "__init__.py")
    assert root == str(installed / "provisioning" / "templates")
    shipped = {path.parent.name for path in (ROOT / "templates").glob("*/vendor.toml")}
    assert (set(vendors.split()), disabled) == (shipped, "")


def test_wheel_brings_its_migrations_and_its_command(installed):
    """The installed package has the database's migrations and the command."""
    migrations = installed / "provisioning" / "store" / "migrations" / "versions"
    assert {path.name for path in migrations.glob("*.py")} == {
        path.name
        for path in (ROOT / "provisioning" / "store" / "migrations" / "versions").glob("*.py")
    }
    assert (installed / "bin" / "provisioning").is_file()


def test_checkout_uses_its_own_vendor_folders():
    """In a checkout the vendor folders are those beside the package."""
    printed = run(sys.executable, "-c", LOAD, cwd=ROOT)
    assert printed.split("\n")[1] == str(ROOT / "templates")
