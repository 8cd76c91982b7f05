"""Steps and fallback: whatever comes in, what goes through has its form."""

from __future__ import annotations

import contextlib
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain import routing
from provisioning.domain.errors import InvalidInput
from provisioning.domain.kinds import FallbackKind, StepKind

TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["1001", "+49 30 12", "*97", ""]))
TARGETS = st.fixed_dictionaries(
    {"kind": st.one_of(st.sampled_from([*map(str, StepKind)]), TEXTS)},
    optional={"number": TEXTS, "id": st.one_of(TEXTS, st.uuids().map(str))},
)
STEPS = st.lists(
    st.fixed_dictionaries(
        {"targets": st.lists(TARGETS, max_size=25), "seconds": st.integers(-5, 300)}
    ),
    max_size=12,
)


@given(STEPS)
def test_e3_steps_that_are_accepted_have_their_form(given_steps):
    """Hostile steps are refused as invalid input or come out within all bounds."""
    with contextlib.suppress(InvalidInput):
        found = routing.steps(given_steps)
        assert len(found) == len(given_steps) <= 10
        for step in found:
            assert 5 <= step["seconds"] <= 120
            assert 1 <= len(step["targets"]) <= 20
            for target in step["targets"]:
                assert ("id" in target) is (target["kind"] == "target")
                assert set("".join(target.get("number", ""))) <= set("+*#0123456789")
        assert routing.steps(found) == found


def test_e3_the_longest_routing_is_accepted():
    """Ten steps of twenty targets and 120 seconds are not too much."""
    targets = [{"kind": "number", "number": f"+49301{n:02}"} for n in range(20)]
    assert len(routing.steps([{"targets": targets, "seconds": 120}] * 10)) == 10


@given(
    st.one_of(st.sampled_from([*map(str, FallbackKind)]), TEXTS),
    st.one_of(st.none(), TEXTS, st.uuids().map(str)),
)
def test_e5_a_fallback_that_is_accepted_has_its_form(kind, named):
    """A fallback names an id where its kind goes to something, and nothing where it does not."""
    with contextlib.suppress(InvalidInput):
        found = routing.fallback({"kind": kind, "id": named})
        assert found["kind"] in set(FallbackKind)
        assert ("id" not in found) is (found["kind"] in {"voicemail", "hang-up"})
        assert "id" not in found or str(UUID(found["id"])) == found["id"]


def test_e5_nothing_is_the_pbxs_to_decide():
    """None and an empty fallback are none; a fallback to a person is no call target."""
    assert routing.fallback(None) == routing.fallback({}) == {}
    assert routing.target_kind({}) is routing.target_kind({"kind": "user"}) is None
    group = {"kind": "ring-group", "id": str(uuid4())}
    assert routing.target_kind(routing.fallback(group)) == "ring-group"
