"""How long somebody waits who was wrong too often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.patience import OF_A_LOGIN, OF_A_SOURCE


@pytest.mark.parametrize("patience", [OF_A_LOGIN, OF_A_SOURCE])
def test_first_failures_cost_nothing_and_the_next_five_seconds(patience):
    """Nobody waits for a few typing errors; then the wait begins."""
    assert patience.wait(patience.free - 1) == timedelta(0)
    assert patience.wait(patience.free) == timedelta(seconds=5)
    assert patience.wait(patience.free + 1) == timedelta(seconds=10)


@given(st.integers(0, 10**9))
def test_wait_grows_to_its_longest_and_stays(failures):
    """More failures never mean a shorter wait, and no number of them one without end."""
    waits = OF_A_LOGIN.wait(failures), OF_A_LOGIN.wait(failures + 1)
    assert waits[0] <= waits[1] <= OF_A_LOGIN.longest


def test_a_code_of_six_digits_cannot_be_tried_out():
    """In a whole year of guessing, fewer than one code in five of a million is tried."""
    tried, spent = 0, timedelta(0)
    while spent < timedelta(days=365):
        tried += 1
        spent += max(OF_A_LOGIN.wait(tried), timedelta(milliseconds=1))
    assert tried * 3 < 200_000


def test_old_failures_are_forgotten():
    """Failures count until none has come for a while."""
    last = datetime(2026, 3, 1, tzinfo=UTC)
    assert not OF_A_LOGIN.forgets(last, last + OF_A_LOGIN.memory)
    assert OF_A_LOGIN.forgets(last, last + OF_A_LOGIN.memory + timedelta(seconds=1))
