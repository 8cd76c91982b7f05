"""Requests at the same moment: the database settles who was first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from provisioning.crypto.tokens import new_token
from provisioning.usecases import devices
from provisioning.usecases.requests import Door, Outcome, TokenCredential


def together(count, act):
    """Run act(number) in threads that all start at once; its results in order."""
    barrier = Barrier(count)

    def run(number):
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_window_binds_to_one_of_many_sources(desk):
    """Ten sources come at once into an open window; exactly one gets the file."""
    replies = together(10, lambda number: desk.fetch(source=f"192.0.2.{number + 1}"))
    assert [reply.outcome for reply in replies].count(Outcome.SERVED) == 1
    assert {reply.outcome for reply in replies} == {Outcome.SERVED, Outcome.NOT_FOUND}
    assert desk.trust().window_served == 1


def test_the_count_of_a_window_is_exact(desk):
    """Twenty-five files asked for at once from one source: twenty are served."""
    replies = together(25, lambda _number: desk.fetch())
    assert [reply.outcome for reply in replies].count(Outcome.SERVED) == 20


def test_a_crowd_of_guesses_is_refused(desk):
    """Many wrong tokens at once are all refused and change nothing."""
    replies = together(
        16,
        lambda _number: desk.fetch(credential=TokenCredential(new_token()), door=Door.HTTPS),
    )
    assert {reply.outcome for reply in replies} == {Outcome.NOT_FOUND}
    assert desk.trust().adopted_at is None


def test_adoption_happens_once(desk):
    """Ten first returns at once are all served, and the device is adopted once."""
    url = devices.provisioning_urls(desk.core, desk.actor, desk.device).token_url
    token = TokenCredential(url.rstrip("/").rpartition("/")[2])
    replies = together(10, lambda _number: desk.fetch(credential=token, door=Door.HTTPS))
    assert {reply.outcome for reply in replies} == {Outcome.SERVED}
    assert len({reply.etag for reply in replies}) == 1
    assert desk.trust().adopted_at is not None
