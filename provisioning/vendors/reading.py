"""What a vendor's parameters mean to the phone that reads them: ``[[readback]]`` of vendor.toml.

Names of parameters are written as the file's syntax gives them, without regard to case. In them
``{n}`` stands for the number of a line, ``{k}`` for the position of a key, ``{m}`` for an
expansion module, ``{i}`` for a place in a list, all from 1; a factor, more of them and a summand
may follow, as in ``{k-1}`` or ``P{m*1000+k*5+58995}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from pydantic import ConfigDict

_STRICT = ConfigDict(extra="forbid", strict=False)
_TERM = re.compile(r"(?P<name>[nkmi])(?:\*(?P<factor>[0-9]{1,4}))?")
_NUMBER = re.compile(
    r"\{(?P<terms>[nkmi](?:\*[0-9]{1,4})?(?:\+[nkmi](?:\*[0-9]{1,4})?)*)"
    r"(?P<summand>[+-][0-9]{1,6})?\}"
)


@dataclass(frozen=True, slots=True)
class ReadLines:
    """Where the accounts stand.

    A line is there if it has a user and ``enabled``, if named, is one of ``on``. ``first`` and
    ``last`` bound ``{n}``. Where the server stands in a list, ``index`` is the line's parameter
    with its place: ``{i}`` in ``server``, or what names a parameter of ``servers``. ``texts`` holds
    regular expressions by field; their group ``value`` is what counts of the parameter.
    """

    __pydantic_config__ = _STRICT

    user: str
    password: str = ""
    server: str = ""
    index: str = ""
    servers: dict[str, str] = field(default_factory=dict)
    label: str = ""
    display: str = ""
    enabled: str = ""
    on: tuple[str, ...] = ("1",)
    first: int = 1
    last: int = 64
    only: dict[str, bool | int | str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list elsewhere in the file that keys of one code refer to.

    ``index`` is the key's parameter with the place in the list; without it the keys of that code
    take the places in order.
    """

    __pydantic_config__ = _STRICT

    index: str = ""
    value: str = ""
    label: str = ""
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadKeys:
    """Where the keys stand.

    The code is the text of the parameters ``type``, joined by blanks, as is ``value``; it means
    what ``codes`` says, else ``key_types``; with ``code`` it is that one for each key whose ``type``
    has any value. ``otherwise`` is the type of a key without a code whose ``line`` is
    set. ``first`` and ``last`` bound ``{k}``; ``after`` names a trait: the positions that come
    before these keys. Names with ``{m}`` are those of expansion modules; with ``modules`` the keys
    of modules are counted on from the phone's own, past the positions in the trait ``gap``.
    ``lists`` are by code.
    """

    __pydantic_config__ = _STRICT

    type: tuple[str, ...]
    code: str = ""
    value: tuple[str, ...] = ()
    label: str = ""
    line: str = ""
    otherwise: str = ""
    first: int = 1
    last: int = 256
    after: str = ""
    modules: bool = False
    gap: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    lists: dict[str, ReadList] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Readback:
    """How a phone reads one dialect's parameters.

    ``language`` are parameters, of which the first one with a value counts; ``idle_text`` is one;
    ``ca`` the one that hands over our own CA: a URL, a PEM certificate, or one without its first and
    last line. ``users`` is the one with the folder of people's files, for the phone's own log-in.
    ``empty`` is what the vendor writes for no value. ``urls`` are for dialects that spread the
    server's URL over parameters, whose names stand in braces: the first one with a value for each
    counts, before ``[adopt]``.
    """

    __pydantic_config__ = _STRICT

    lines: tuple[ReadLines, ...] = ()
    keys: tuple[ReadKeys, ...] = ()
    language: tuple[str, ...] = ()
    idle_text: str = ""
    ca: str = ""
    users: str = ""
    empty: str = ""
    urls: tuple[str, ...] = ()


def parameter(pattern: str, **numbers: int) -> str:
    """The parameter's name, lower case, with its numbers put in."""

    def fill(found: re.Match[str]) -> str:
        terms = _TERM.finditer(found["terms"])
        number = sum(numbers[term["name"]] * int(term["factor"] or 1) for term in terms)
        return str(number + int(found["summand"] or 0))

    return _NUMBER.sub(fill, pattern).lower()


def pattern_fault(pattern: str) -> str:
    """What is wrong with a parameter's pattern; empty if nothing is."""
    if re.search("[{}]", _NUMBER.sub("", pattern)):
        return f"'{pattern}' holds a brace that is no {{n}}, {{k}}, {{m}} or {{i}}; see docs/vendors.md."
    return ""


def fits(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a parameter is one of those meant: ``*`` stands for any text, letter case is ignored."""
    return _any_of(patterns).fullmatch(name) is not None


@cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    every = (re.escape(pattern).replace(r"\*", ".*") for pattern in patterns)
    return re.compile("|".join(every) or r"(?!)", re.IGNORECASE)
