"""Fixtures of the whole suite."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture
def client_program() -> Callable[[str], str]:
    """Find a real client by name: skip where it is missing, but fail in CI, which has them all."""

    def find(name: str) -> str:
        if path := shutil.which(name):
            return path
        reason = f"the program '{name}' is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)

    return find
