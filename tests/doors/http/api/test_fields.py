"""Every writable field of every body, with whatever can be sent in it."""

from __future__ import annotations

import asyncio
import http.client
import json
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from provisioning.doors.http.api.application import endpoints
from provisioning.doors.http.api.incoming import media_types
from provisioning.doors.http.api.registry import Endpoint

Path = tuple[str | int, ...]

DEEP: Any = None
for _ in range(150):
    DEEP = [DEEP]

TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "a\udfffb", "\u202eabc", "\ufeff", "e\u0301", "\U0001f4de",
    "a" * 1000, "a" * 1001, "\U0001f4de" * 1000, "\x7f", "\x85", "\u2028", "%s%n", "../../etc/passwd", "{{ 7*7 }}", "</a>",
    "-1", "0", "00", "1e400", "9" * 20, "9" * 400, "NaN", "\u0661\u0662\u0663", "\u00b2", "\uff11\uff12\uff13",
    "0001-01-01", "9999-12-31", "2026-02-30", "0001-01-01T00:00:00+23:59",
    "::", "0.0.0.0/0", "2001:db8::/129", "1.2.3.4/33", "fe80::1%eth0", "https://[", "http://[::1", "sip:a@b",
    "a@b", "@", "a@" + "b" * 300 + ".example", "x@xn--.example", "\u00e4@\u00df.example", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff",
    "*", "#", "*#06#", "+", "+49 30 1", "true", "null", "example.com:65536", "a..b", "xn--a",
]  # fmt: skip
MOMENTS = [
    "0001-01-01", "9999-12-31", "10000-01-01", "0000-00-00", "2026-02-30", "2026-01-01",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:60Z", "2030-01-01T00:00:00", "2030-01-01T00:00:00.123456789Z", "0", "-1",
    "1e20", 0, 2**63,
]  # fmt: skip
NUMBERS = [0, -1, 1, 2**15, 2**31, 2**32, 2**53, 2**63, 2**64, 10**400]
ODD = [
    None, True, False, 0, -1, 1, 1.5, -0.0, 2**31, 2**53, 2**63, 2**64, 10**400, 1e308,
    [], {}, [None], [[]], {"": None}, {"a": {"b": []}}, DEEP, ["a"] * 300, [{}] * 30,
]  # fmt: skip

DEEPEST = 6
"""How far into a body its fields are looked for."""

MANY = 100
"""Fields from which on a body is one of settings, which are all alike, and each gets fewer values."""

COUNTED_WHEN_REFUSED = {"attempts"}
"""Tables that are written by being refused: they count who tries passwords."""

REFUSED = {"POST /session/reset", "PUT /session/totp", "POST /session/memberships"}
"""Whose bodies are worth nothing without a secret that only a letter or an app tells."""


def arbitrary(ids: list[str]) -> st.SearchStrategy[Any]:
    """Anything JSON can say, much of it nearly what some field takes."""
    leaf = st.sampled_from(TEXTS) | st.text(max_size=20) | st.sampled_from(ids)
    json_values = st.recursive(
        leaf | st.sampled_from(ODD) | st.integers() | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=5,
    )
    return leaf | st.sampled_from(ODD) | json_values


def named(endpoint: Endpoint) -> str:
    """A method and the path it is for."""
    return f"{endpoint.method} {endpoint.path}"


def field_paths(schema: Any, known: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Where a body of a schema has fields, those within fields and lists too, and their forms."""
    if len(path) > DEEPEST:
        return
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if path:
        yield path, schema
    for choice in schema.get("anyOf", ()):
        yield from field_paths(choice, known, path)
    for name, inner in schema.get("properties", {}).items():
        yield from field_paths(inner, known, (*path, name))
    if "items" in schema:
        yield from field_paths(schema["items"], known, (*path, 0))


def fields_of(endpoint: Endpoint) -> dict[Path, list[Any]]:
    """Where the body of an endpoint has fields, each with the forms it can have."""
    schema = endpoint.body.model_json_schema()
    found: dict[Path, list[Any]] = {}
    for path, form in field_paths(schema, schema.get("$defs", {})):
        found.setdefault(path, []).append(form)
    return found


def near(form: Any, ids: list[str]) -> st.SearchStrategy[Any]:
    """Values that are nearly, or just, what a field of a form takes."""
    if "enum" in form:
        return st.sampled_from([*form["enum"], *(str(each).upper() for each in form["enum"])])
    if form.get("format") == "uuid":
        return st.sampled_from(ids) | st.uuids().map(str)
    if form.get("format", "").startswith("date"):
        return st.sampled_from(MOMENTS)
    if form.get("type") in {"integer", "number"}:
        bounds = {form[name] for name in ("minimum", "maximum") if name in form}
        return st.sampled_from(sorted({*bounds, *NUMBERS, *(each + 1 for each in bounds)}))
    return st.sampled_from(TEXTS)


def with_field(body: Any, path: Path, value: Any) -> Any:
    """The body with another value at a path, and what has to be there to get to it."""
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        held = body if isinstance(body, list) and body else [None]
        return [with_field(held[0], tuple(rest), value), *held[1:]]
    held = body if isinstance(body, dict) else {}
    return {**held, first: with_field(held.get(first), tuple(rest), value)}


@dataclass
class Attack:
    """Sends bodies to one endpoint after the other, and notes what should not have come of it."""

    siege: Any
    connection: http.client.HTTPConnection
    before: dict[str, int] = field(init=False)
    faults: list[tuple[object, ...]] = field(default_factory=list)

    def __post_init__(self):
        self.before = self.counts()

    def send(self, endpoint: Endpoint, body: Any) -> tuple[int, bytes]:
        """Send a body to an endpoint whose path names what is there."""
        real = {name: quote(known) for name, known in self.siege.path(endpoint).items()}
        path = endpoint.template.format(**real)
        kind = media_types(endpoint.body)[0]
        data = json.dumps(body) if "json" in kind else urlencode(body, errors="replace")
        headers = {"Content-Type": kind} | self.siege.headers(endpoint)
        self.connection.request(endpoint.method, path, data.encode(), headers)
        with self.connection.getresponse() as reply:
            return reply.status, reply.read()

    def check(self, endpoint: Endpoint, body: Any, what: object) -> None:
        """Send a body; it is taken, or refused with nothing left behind."""
        status, told = self.send(endpoint, body)
        if status < 300:
            self.siege.saved.restore()
        elif not 400 <= status < 500:
            self.faults.append((named(endpoint), what, status, told[:200]))
        elif endpoint.subject == "session":
            self.siege.saved.restore()  # nobody is to wait because of those who guessed before
        elif self.counts() != self.before:
            self.faults.append((named(endpoint), what, status, "rows changed"))
            self.siege.saved.restore()

    def counts(self) -> dict[str, int]:
        """How many rows there are, but those that count who tries passwords."""
        return {
            name: count
            for name, count in self.siege.saved.counts().items()
            if name not in COUNTED_WHEN_REFUSED
        }


def walk(siege: Any, examples: int) -> None:
    """Send every field of every body that many values; fail with every answer that is wrong."""
    ids = sorted(siege.ids.values())
    anything = arbitrary(ids)
    with closing(http.client.HTTPConnection(siege.url.removeprefix("http://"))) as connection:
        attack = Attack(siege, connection)
        for endpoint in endpoints():
            if endpoint.body is None:
                continue
            base = siege.valid(endpoint)
            status, told = attack.send(endpoint, base)
            assert (status < 300) != (named(endpoint) in REFUSED), (named(endpoint), told)
            siege.saved.restore()
            fields = fields_of(endpoint)
            count = examples if len(fields) < MANY else max(1, examples // 3)
            for path, forms in fields.items():
                values = st.one_of(anything, *(near(form, ids) for form in forms))
                every(attack, endpoint, base, path, values, count)
                if any(form.get("format", "").startswith("date") for form in forms):
                    for moment in MOMENTS:
                        attack.check(endpoint, with_field(base, path, moment), (path, moment))
    assert not attack.faults, "\n".join(map(repr, attack.faults))


def every(attack: Attack, endpoint: Endpoint, base: Any, path: Path, values: Any, count: int):
    """Send one field that many values, the same ones in every run."""

    @seed(zlib.crc32(f"{named(endpoint)} {path}".encode()))
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def one(value: Any) -> None:
        attack.check(endpoint, with_field(base, path, value), (path, repr(value)[:80]))

    one()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_every_field_takes_or_refuses_anything(siege):
    """Whatever a field holds is taken or refused, and a refused request leaves no rows."""
    await asyncio.to_thread(walk, siege, 1)


@pytest.mark.soak
async def test_every_field_takes_or_refuses_very_much(siege):
    """The same with many more values."""
    await asyncio.to_thread(walk, siege, 60)
