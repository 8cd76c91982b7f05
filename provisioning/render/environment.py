"""The sandbox in which phone templates run (PROTOCOLS AT5).

Templates see plain data only, an undefined name is an error, and every value is escaped by the
syntax of the file it goes into without the template doing anything for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from provisioning.domain.errors import RenderFailed, UnsafeValue
from provisioning.render import explain, syntax
from provisioning.vendors.schema import Syntax

LARGEST_FILE = 1024 * 1024
"""Bytes of one rendered file; a template that gives more is broken."""

_FORBIDDEN_FILTERS = ("attr", "safe", "forceescape", "pprint", "tojson", "urlize", "xmlattr")
_LONGEST_WORK = 2000


class PhoneEnvironment(ImmutableSandboxedEnvironment):
    """The environment of one vendor's folders and one syntax."""

    def __init__(self, folders: Sequence[Path], form: Syntax) -> None:
        super().__init__(
            loader=FileSystemLoader([str(folder) for folder in folders], followlinks=False),
            undefined=StrictUndefined,
            autoescape=True,
            finalize=_escaper(form),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        for name in _FORBIDDEN_FILTERS:
            self.filters.pop(name, None)
        self.globals = {"range": _short_range}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Let data win over methods: ``phone.keys`` is the key, not ``dict.keys``."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse sums and products that only serve to eat memory."""
        if operator == "*" and (isinstance(left, str | list) or isinstance(right, str | list)):
            raise SecurityError("repetition is not available in phone templates")
        if operator == "**":
            raise SecurityError("powers are not available in phone templates")
        return super().call_binop(context, operator, left, right)

    intercepted_binops = frozenset({"*", "**"})


def _short_range(*bounds: int) -> range:
    counted = range(*bounds)
    if len(counted) > _LONGEST_WORK:
        raise SecurityError(f"range() of more than {_LONGEST_WORK}")
    return counted


def _escaper(form: Syntax) -> Callable[[Any], Any]:
    escape = syntax.FORMS[form].escape

    def finalize(value: Any) -> Any:
        if isinstance(value, Markup | StrictUndefined):
            return value
        text = ("1" if value else "0") if isinstance(value, bool) else escape(str(value))
        return Markup(text + explain.mark())  # noqa: S704 - escaped in the line above

    return finalize


@lru_cache(maxsize=128)
def environment(folders: tuple[Path, ...], form: Syntax) -> PhoneEnvironment:
    """The environment for these folders, made once; templates reload when their file changes."""
    return PhoneEnvironment(folders, form)


def render_template(
    folders: tuple[Path, ...], name: str, form: Syntax, context: Mapping[str, Any]
) -> bytes:
    """Render one template; raises RenderFailed or UnsafeValue, and never returns half a file."""
    try:
        template: Template = environment(folders, form).get_template(name)
        text = template.render(context)
    except UnsafeValue:
        raise
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise RenderFailed(
            f"The template '{name}' failed: {type(error).__name__}: {error}",
            remedy="`provisioning check` shows where.",
        ) from error
    content = text.encode("utf-8")
    if len(content) > LARGEST_FILE:
        raise RenderFailed(
            f"The template '{name}' gave {len(content)} bytes, more than {LARGEST_FILE}.",
            remedy="Look for a loop that does not end where it should.",
        )
    return content
