"""How long somebody waits who was wrong too often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.patience import OF_A_LOGIN, OF_A_PIN_SOURCE, OF_A_SOURCE


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


LAST = datetime(2026, 3, 1, tzinfo=UTC)


def test_old_failures_are_forgotten():
    """Failures of one person count until none has come for a while."""
    late = LAST + OF_A_LOGIN.memory
    assert OF_A_LOGIN.remembered(4, LAST, late) == (4, late)
    later = late + timedelta(seconds=1)
    assert OF_A_LOGIN.remembered(4, LAST, later) == (0, later)


@given(st.lists(st.integers(0, 3600), max_size=40))
def test_a_source_forgets_one_by_one(seconds):
    """However the failures of one address come, no more go than their time allows."""
    counted, since, now = 0, LAST, LAST
    for passed in seconds:
        now += timedelta(seconds=passed)
        before = counted
        counted, since = OF_A_SOURCE.remembered(counted, since, now)
        assert 0 <= counted <= before
        counted += 1
    gone = (now - LAST) // (OF_A_SOURCE.memory / OF_A_SOURCE.free)
    assert counted >= len(seconds) - gone
    assert OF_A_SOURCE.remembered(3, LAST, LAST - timedelta(hours=1)) == (3, LAST)


def test_an_offices_typing_errors_stop_nobody():
    """A wrong PIN every ten seconds all day makes an address wait as little as one does."""
    counted, since, now = 0, LAST, LAST
    for _ in range(8640):
        now += timedelta(seconds=10)
        counted, since = OF_A_PIN_SOURCE.remembered(counted, since, now)
        counted += 1
        assert not OF_A_PIN_SOURCE.wait(counted)
