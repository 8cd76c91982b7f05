"""Cells of CSV files are never formulas."""

from __future__ import annotations

import pytest

from provisioning.domain.spreadsheets import guarded, unguarded


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(text, f"'{text}") for text in ("=x", "+1", "-1", "@x", "\tx", "\rx", "'x")]
    + [(text, text) for text in ("", "x", "a=b", "1+1", " =x")],
)
def test_cells_are_neutralised(cell, expected):
    """A cell that a spreadsheet would compute gets an apostrophe, others stay as they are."""
    assert guarded(cell) == expected
    assert unguarded(expected) == cell
