"""Vendor folders made for one test."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.vendors.registry import load_registry


@pytest.fixture
def root(tmp_path):
    """An empty folder of vendors."""
    path = tmp_path / "templates"
    path.mkdir()
    return path


@pytest.fixture
def write(root):
    """Write the vendor.toml of a folder, with empty templates beside it."""

    def written(name: str, toml: str, *templates: str, where: Path | None = None) -> Path:
        folder = (where or root) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vendor.toml").write_text(toml, encoding="utf-8")
        for template in templates:
            (folder / template).write_text("", encoding="utf-8")
        return folder

    return written


@pytest.fixture
def load(root):
    """Load every vendor written so far."""
    return lambda: load_registry([root])
