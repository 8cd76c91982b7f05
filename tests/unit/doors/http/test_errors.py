"""The one table from broken rules to HTTP statuses, and the problem documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioning.domain import errors
from provisioning.domain.errors import BrokenRule
from provisioning.doors.http.errors import STATUSES, problem, status_of


def rules(parent: type[BrokenRule] = BrokenRule) -> Iterator[type[BrokenRule]]:
    """Every class of broken rule there is."""
    yield parent
    for child in parent.__subclasses__():
        yield from rules(child)


RULES = [rule for rule in rules() if rule.__module__ == errors.__name__]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code())
def test_every_rule_has_a_status_and_a_whole_document(rule):
    """Every class of domain.errors gives an error status and a document that names its rule."""
    document = problem(rule("What broke."))
    assert 400 <= document["status"] == status_of(rule) < 600
    assert document["code"] == rule.code()
    assert document["type"].endswith(f":{rule.code()}")
    assert document["title"].endswith(".")
    assert document["detail"] == "What broke."


def test_codes_are_unique():
    """No two rules share a code."""
    codes = [rule.code() for rule in RULES]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        (errors.InvalidInput, 422),
        (errors.MalformedMac, 422),
        (errors.MalformedJson, 400),
        (errors.UnknownVendor, 422),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.DuplicateMac, 409),
        (errors.TrustTooLow, 409),
        (errors.StaleRevision, 412),
        (errors.Unauthenticated, 401),
        (errors.Forbidden, 403),
        (errors.WrongMethod, 405),
        (errors.TooLarge, 413),
        (errors.StoreUnavailable, 503),
        (errors.UnsafeValue, 500),
        (errors.UnreadableSecret, 500),
    ],
)
def test_status_is_the_one_clients_rely_on(rule, status):
    """Rules have the statuses the API promises; a class without its own has its parent's."""
    assert status_of(rule) == status


def test_nearest_ancestor_wins():
    """A class that is not in the table has the status of its nearest ancestor."""

    class BrandNewRule(errors.MalformedJson):
        """A rule of tomorrow."""

    assert BrandNewRule not in STATUSES
    assert status_of(BrandNewRule) == 400


def test_document_has_field_and_remedy_where_the_error_has_them():
    """Field and remedy are members only where the error has them."""
    full = problem(errors.DuplicateMac("It is taken.", remedy="Take another.", field="mac"))
    assert (full["field"], full["remedy"]) == ("mac", "Take another.")
    assert not {"field", "remedy"} & set(problem(errors.DuplicateMac("It is taken.")))


def test_bug_is_told_without_its_text():
    """An exception that is no broken rule is a 500 that repeats nothing of it."""
    document = problem(KeyError("geheim"))
    assert (document["status"], document["code"]) == (500, "internal-error")
    assert "geheim" not in str(document)
