"""The rules of who gets a secret file."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.trust import (
    MOST_SECRET_FILES,
    WINDOW,
    WINDOW_FOR_BOUND,
    Effect,
    Grade,
    Window,
    judge,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN = Window(until=NOW + WINDOW)


def bound(**changes: object) -> Window:
    """A window that has served 192.0.2.1 an hour ago."""
    values: dict[str, object] = {
        "until": NOW + timedelta(hours=23),
        "bound_source": "192.0.2.1",
        "first_served_at": NOW - timedelta(hours=1),
        "served": 3,
    }
    return Window(**{**values, **changes})  # type: ignore[arg-type]  # dataclass fields by name


def test_grades_are_ordered_by_strength():
    """A certificate proves more than a password, and so on down to a MAC alone."""
    assert list(Grade) == sorted(Grade)
    assert [grade.word for grade in Grade] == [
        "none", "network", "token", "password", "certificate",
    ]  # fmt: skip


def test_the_first_source_binds_an_open_window():
    """The first request in the window is served and becomes the only source."""
    judgement = judge(Grade.NONE, Grade.TOKEN, OPEN, "192.0.2.1", NOW)
    assert judgement.admitted
    assert judgement.effects == {Effect.BIND, Effect.COUNT}


def test_the_bound_source_is_served_again():
    """Later files of the same boot only count."""
    judgement = judge(Grade.NONE, Grade.TOKEN, bound(), "192.0.2.1", NOW)
    assert judgement.admitted
    assert judgement.effects == {Effect.COUNT}


def test_a_second_source_raises_one_alarm():
    """A second source is refused; the alarm and the new token come once for a window."""
    first = judge(Grade.NONE, Grade.TOKEN, bound(), "192.0.2.2", NOW)
    again = judge(Grade.NONE, Grade.TOKEN, bound(alarmed=True), "192.0.2.2", NOW)
    assert (first.admitted, first.effects) == (False, {Effect.ALARM})
    assert (again.admitted, again.effects) == (False, set())


def test_a_window_serves_a_limited_number_of_files():
    """After twenty secret files the window serves no more."""
    almost = judge(Grade.NONE, Grade.TOKEN, bound(served=MOST_SECRET_FILES - 1), "192.0.2.1", NOW)
    full = judge(Grade.NONE, Grade.TOKEN, bound(served=MOST_SECRET_FILES), "192.0.2.1", NOW)
    assert (almost.admitted, full.admitted) == (True, False)


@pytest.mark.parametrize(
    ("source", "age", "admitted"),
    [
        ("192.0.2.1", timedelta(days=2), True),
        ("192.0.2.1", WINDOW_FOR_BOUND - timedelta(seconds=1), True),
        ("192.0.2.1", WINDOW_FOR_BOUND, False),
        ("192.0.2.2", timedelta(days=2), False),
    ],
)
def test_a_window_that_served_stays_open_for_its_source(source, age, admitted):
    """After its day a window that has served is open for the bound source only, seven days."""
    window = bound(until=NOW - age + WINDOW, first_served_at=NOW - age)
    judgement = judge(Grade.NONE, Grade.TOKEN, window, source, NOW)
    assert judgement.admitted is admitted
    assert Effect.ALARM not in judgement.effects


def test_an_unused_window_closes_after_a_day():
    """A window nobody came in is closed for everyone when its day is over."""
    assert not judge(Grade.NONE, Grade.TOKEN, Window(until=NOW), "192.0.2.1", NOW).admitted


def test_enough_proof_adopts_once():
    """The first proven return is noted; the next ones change nothing."""
    first = judge(Grade.TOKEN, Grade.TOKEN, OPEN, "192.0.2.1", NOW)
    later = judge(Grade.TOKEN, Grade.TOKEN, Window(adopted=True), "192.0.2.9", NOW)
    assert (first.admitted, first.effects) == (True, {Effect.PROVEN})
    assert (later.admitted, later.effects) == (True, set())


def test_a_bare_mac_never_adopts():
    """Where a site asks for nothing, everybody is served and nobody is adopted by it."""
    judgement = judge(Grade.NONE, Grade.NONE, Window(), "192.0.2.1", NOW)
    assert (judgement.admitted, judgement.effects) == (True, set())


@given(
    grade=st.sampled_from(Grade),
    minimum=st.sampled_from(Grade),
    source=st.sampled_from(["192.0.2.1", "192.0.2.2"]),
    served=st.integers(0, 30),
    hours=st.integers(-300, 300),
    holder=st.sampled_from(["", "192.0.2.1"]),
    adopted=st.booleans(),
    alarmed=st.booleans(),
)
def test_less_proof_is_never_served_without_a_window(
    grade, minimum, source, served, hours, holder, adopted, alarmed
):
    """Whatever the state, a request is served by enough proof or by its own open window only."""
    window = Window(
        until=NOW + timedelta(hours=hours),
        bound_source=holder,
        first_served_at=NOW - timedelta(hours=1) if holder else None,
        served=served,
        alarmed=alarmed,
        adopted=adopted,
    )
    judgement = judge(grade, minimum, window, source, NOW)
    if judgement.admitted and grade < minimum:
        assert window.open_for(source, NOW)
        assert holder in ("", source)
        assert served < MOST_SECRET_FILES
    assert judgement.admitted or grade < minimum
    assert judgement.reason
