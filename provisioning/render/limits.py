"""What a template may do: Jinja's sandbox bounds what it reaches, this bounds its work.

A template is an operator's, and one that never ends or eats the memory stops every phone (AT5).
Every loop item, call, include and hundred characters made cost a step, and a render has
``MOST_STEPS``. A wall clock cannot stop a thread, so whatever could make much out of little in
one step is refused, or checked before it is done.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from jinja2 import Undefined
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import BlockReference, LoopContext, Macro
from markupsafe import Markup

MOST_STEPS = 50_000
"""Steps of one render; the largest shipped phone with all its modules takes about 2000."""

LONGEST_TEXT = 64 * 1024
"""Characters of one value, or members of one list, that an expression may make."""

LONGEST_RANGE = 2000
INCLUDE_STEPS = 100
_PER_STEP = 100
_LARGEST_NUMBER = 10**15
_LARGEST_ARGUMENT = 1000

_PLAIN_FILTERS = (
    "abs", "batch", "count", "d", "default", "dictsort", "first", "float", "groupby", "int",
    "items", "last", "length", "list", "map", "max", "min", "reject", "rejectattr", "round",
    "select", "selectattr", "slice", "sort", "unique",
)  # fmt: skip
_TEXT_FILTERS = (
    "capitalize", "lower", "reverse", "title", "trim", "truncate", "upper", "urlencode",
)  # fmt: skip
_TEXT_METHODS = frozenset({
    "capitalize", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii",
    "isdigit", "islower", "isupper", "lower", "lstrip", "partition", "removeprefix",
    "removesuffix", "replace", "rfind", "rpartition", "rsplit", "rstrip", "split", "splitlines",
    "startswith", "strip", "title", "upper",
})  # fmt: skip
_ESCAPED_METHODS = frozenset({"endswith", "lstrip", "rstrip", "startswith", "strip"})
_LOOP_METHODS = frozenset({"changed", "cycle"})
_CONVERSION = re.compile(r"%(?:%|[-0+ #]{0,4}[0-9]{0,2}(?:\.[0-9]{1,2})?[dixXofs])")

_left: ContextVar[list[int] | None] = ContextVar("steps left", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Give what is rendered in the block its own ``MOST_STEPS``."""
    token = _left.set([MOST_STEPS])
    try:
        yield
    finally:
        _left.reset(token)


def spend(steps: int) -> None:
    """Take steps off what the render has left; raises SecurityError when there are none."""
    left = _left.get()
    if left is None:
        return
    left[0] -= steps
    if left[0] < 0:
        raise SecurityError(f"more than {MOST_STEPS} steps of work")


def made(value: Any) -> None:
    """Charge for a text or list that was just made; raises SecurityError where it is too long."""
    if isinstance(value, str | list | tuple):
        _fits(len(value))
        spend(len(value) // _PER_STEP)


def _fits(length: int) -> None:
    if length > LONGEST_TEXT:
        raise SecurityError(f"a value of more than {LONGEST_TEXT} characters or members")


def counted(items: Iterable[Any], weight: int = 1) -> list[Any]:
    """The items of a loop, charged before it begins."""
    listed = list(items)
    spend(len(listed) * weight)
    return listed


def included(name: Any) -> Any:
    """The name of a template about to be included or imported, charged."""
    spend(INCLUDE_STEPS)
    return name


def short_range(*bounds: int) -> range:
    """``range`` of at most ``LONGEST_RANGE`` numbers."""
    numbers = range(*bounds)
    if not -LONGEST_RANGE <= numbers.stop - numbers.start <= LONGEST_RANGE:
        raise SecurityError(f"range() over more than {LONGEST_RANGE}")
    return numbers


def text(value: Any) -> str:
    """A text, number or boolean as text; lists, dictionaries and null are refused.

    Null in a phone's file is always a mistake, and printing a list that holds itself many times
    over takes for ever.
    """
    if isinstance(value, Undefined):
        return str(value)  # which raises, and says what is undefined
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, str | int | float):
        raise TypeError(f"a {type(value).__name__} cannot be printed")
    return value if isinstance(value, str) else str(value)


def joiner(escape: Callable[[Any], Markup]) -> Callable[..., str]:
    """The ``join`` filter, which ``~`` and ``+`` of texts use too.

    Where one part is escaped already (what a macro gave), the others are escaped by the file's
    syntax, not as HTML.
    """

    def join(parts: Iterable[Any], between: Any = "") -> str:
        listed = list(parts)
        texts = [between, *listed]
        _fits(sum(len(text(part)) for part in listed) + len(text(between)) * len(listed))
        joined: str
        if any(isinstance(part, Markup) for part in texts):
            joined = escape(between).join(map(escape, listed))
        else:
            joined = text(between).join(map(text, listed))
        made(joined)
        return joined

    return join


def replaced(value: Any, old: Any, new: Any, count: int = -1) -> str:
    """The ``replace`` filter and method, which know the result's length before they make it."""
    source, before, after = _unescaped(value), _unescaped(old), _unescaped(new)
    times = source.count(before) if count < 0 else min(count, source.count(before))
    _fits(len(source) + times * max(len(after) - len(before), 0))
    result = source.replace(before, after, count)
    made(result)
    return result


def checksum(value: Any) -> int:
    """The CRC-32 of a text: a number that is another one when the text is."""
    return zlib.crc32(text(value).encode())


def formatted(pattern: Any, *values: Any) -> str:
    """``"%02d"|format(n)``: printf's conversions with widths of at most two digits."""
    if "%" in _CONVERSION.sub("", _unescaped(pattern)):
        raise SecurityError("a format other than %s, %d, %x and %f with at most two digits")
    _fits(sum(len(_unescaped(value)) for value in values) + 100 * len(values) + len(pattern))
    result = str(pattern % values)
    made(result)
    return result


def _unescaped(value: Any) -> str:
    if isinstance(value, Markup):
        raise SecurityError("a text that is escaped already cannot be changed; change it before")
    return text(value)


def filters(escape: Callable[[Any], Markup]) -> dict[str, Callable[..., Any]]:
    """Every filter a phone template has; what is not here could do harm, or is not needed."""
    join = joiner(escape)
    return {
        **{name: _charged(name, FILTERS[name]) for name in (*_PLAIN_FILTERS, *_TEXT_FILTERS)},
        "checksum": checksum,
        "format": formatted,
        "join": join,
        "replace": replaced,
        "string": lambda value: value if isinstance(value, Markup) else text(value),
        "_counted": counted,
        "_included": included,
        "_joined": join,
    }


def _charged(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    value_at = 1 if hasattr(function, "jinja_pass_arg") else 0
    changes_text = name in _TEXT_FILTERS and name not in ("trim", "reverse")
    small_numbers = name not in ("d", "default")

    @wraps(function)
    def charged(*args: Any, **kwargs: Any) -> Any:
        value = args[value_at] if len(args) > value_at else ""
        if changes_text:
            _unescaped(value)
        elif name == "trim":
            text(value)
        numbers = [n for n in (*args[value_at + 1 :], *kwargs.values()) if isinstance(n, int)]
        if small_numbers and any(abs(n) > _LARGEST_ARGUMENT for n in numbers):
            raise SecurityError(f"{name} with a number above {_LARGEST_ARGUMENT}")
        result = function(*args, **kwargs)
        made(result)
        return result

    return charged


def may_call(thing: Any) -> bool:
    """Whether a template may call this: macros, blocks, ``range`` and harmless methods."""
    if isinstance(thing, Macro | BlockReference | Undefined) or thing is short_range:
        return True
    owner, name = getattr(thing, "__self__", None), getattr(thing, "__name__", "")
    if isinstance(owner, Markup):
        return name in _ESCAPED_METHODS
    if isinstance(owner, str):
        return name in _TEXT_METHODS
    return isinstance(owner, LoopContext) and name in _LOOP_METHODS


def called(function: Callable[..., Any], thing: Any, *args: Any, **kwargs: Any) -> Any:
    """Do a call that ``may_call`` allows, charged by itself and by what it makes.

    The error names the method only: its owner may be a secret.
    """
    spend(1)
    if not may_call(thing):
        name = getattr(thing, "__name__", type(thing).__name__)
        raise SecurityError(f"'{name}' cannot be called in phone templates")
    if getattr(thing, "__name__", "") == "replace" and isinstance(thing.__self__, str):
        # What Jinja hands to calls inside loops and blocks is not meant for the method.
        own = {name: value for name, value in kwargs.items() if not name.startswith("_")}
        return replaced(thing.__self__, *args, **own)
    result = function(thing, *args, **kwargs)
    if isinstance(result, str | list):
        spend(len(result) // _PER_STEP)
    return result


def computed(
    operator: str, left: Any, right: Any, join: Callable[[Sequence[Any]], str]
) -> tuple[bool, Any]:
    """An operation that could make much out of little: whether it was done here, and its result.

    Raises SecurityError for repetition, powers and huge numbers.
    """
    if operator == "**":
        raise SecurityError("powers are not available in phone templates")
    if operator == "%" and isinstance(left, str):
        return True, formatted(left, *(right if isinstance(right, tuple) else (right,)))
    if operator == "*":
        if any(isinstance(side, str | list | tuple) for side in (left, right)):
            raise SecurityError("repetition is not available in phone templates")
        if any(isinstance(side, int) and abs(side) > _LARGEST_NUMBER for side in (left, right)):
            raise SecurityError(f"a product of numbers above {_LARGEST_NUMBER}")
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return True, join([left, right])
    if operator == "+" and isinstance(left, list | tuple) and isinstance(right, list | tuple):
        _fits(len(left) + len(right))
        spend((len(left) + len(right)) // _PER_STEP)
    return False, None
