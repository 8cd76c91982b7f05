"""The sandbox in which phone templates run (PROTOCOLS AT5).

Templates see plain data only, an undefined name is an error, every value is escaped by the
syntax of the file it goes into without the template doing anything for it, and ``limits`` bounds
what a template can do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, nodes
from jinja2.exceptions import TemplateAssertionError
from jinja2.runtime import Context as TemplateContext
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_eval_context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from provisioning.domain.errors import RenderFailed, UnsafeValue
from provisioning.render import explain, limits, syntax, tracing
from provisioning.vendors.schema import Syntax

LARGEST_FILE = 2 * 1024 * 1024
"""Bytes of one rendered file; a template that gives more is broken. A thousand people at one Snom
M900 are half of it."""


class PhoneEnvironment(ImmutableSandboxedEnvironment):
    """The environment of one vendor's folders and one syntax."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, folders: Sequence[Path], form: Syntax) -> None:
        escape = _escaper(form)
        super().__init__(
            loader=FileSystemLoader([str(folder) for folder in folders], followlinks=False),
            undefined=StrictUndefined,
            autoescape=True,
            finalize=self._finalizer(escape),
            optimized=False,  # nothing is worked out while compiling, where no bound holds
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.filters = limits.filters(escape)
        self.globals = {"range": limits.short_range}
        self._join = limits.joiner(escape)

    @staticmethod
    def _finalizer(escape: Callable[[Any], Markup]) -> Callable[[Any, Any], Markup]:
        # Asking for the evaluation context keeps Jinja from printing constants while compiling,
        # where no bound holds and the marks of another render may be pending.
        @pass_eval_context
        def finalize(_context: Any, value: Any) -> Markup:
            if isinstance(value, Markup):
                return value
            escaped = escape(value)
            limits.made(escaped)
            return escaped

        return finalize

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Let data win over methods: ``phone.keys`` is the key, not ``dict.keys``."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def call(self, context: TemplateContext, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template may call, and charge for it."""

        def plainly(thing: Any, *args: Any, **kwargs: Any) -> Any:
            return super(PhoneEnvironment, self).call(context, thing, *args, **kwargs)

        return limits.called(plainly, obj, *args, **kwargs)

    def call_binop(self, context: TemplateContext, operator: str, left: Any, right: Any) -> Any:
        """Refuse sums and products that only serve to eat memory."""
        done, result = limits.computed(operator, left, right, self._join)
        return result if done else super().call_binop(context, operator, left, right)

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        counting = _Counting(name, filename).visit(source)
        counting.set_environment(self)
        return super()._generate(counting, name, filename, defer_init)


class ExplainingEnvironment(PhoneEnvironment):
    """The same for renders whose lines are explained."""

    def __init__(self, folders: Sequence[Path], form: Syntax) -> None:
        super().__init__(folders, form)
        self.filters |= tracing.FILTERS

    @staticmethod
    def _finalizer(escape: Callable[[Any], Markup]) -> Callable[[Any, Any], Markup]:
        plain = PhoneEnvironment._finalizer(escape)  # noqa: SLF001 - its own

        @pass_eval_context
        def finalize(context: Any, value: Any) -> Markup:
            if isinstance(value, Markup):
                return value if "\n" in value else value + explain.mark()
            return plain(context, explain.touched(value)) + explain.mark()

        return finalize

    def call(self, context: TemplateContext, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Take the marks out of what a macro gives; without one, note what arguments carry."""
        if isinstance(obj, Macro):
            return explain.given(super().call(context, obj, *args, **kwargs))
        for argument in args:
            explain.touched(argument)
        return super().call(context, obj, *args, **kwargs)

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        traced = tracing.Tracing().visit(source)
        traced.set_environment(self)
        return super()._generate(traced, name, filename, defer_init)


class _Counting(NodeTransformer):
    """Puts the charging filters where a template loops, includes and joins texts."""

    def __init__(self, name: str | None, filename: str | None) -> None:
        self._name = name
        self._filename = filename

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's visitor protocol
        if node.recursive:
            raise TemplateAssertionError(
                "recursive loops are not available in phone templates",
                node.lineno, self._name, self._filename,
            )  # fmt: skip
        literal = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        weight = nodes.Const(1 + literal // 1000, lineno=node.lineno)
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_counted", weight)
        return node

    def _charge(self, node: nodes.Include) -> nodes.Node:
        self.generic_visit(node)
        node.template = _filtered(node.template, "_included")
        return node

    visit_Include = visit_Import = visit_FromImport = visit_Extends = _charge  # noqa: N815

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - likewise
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_joined")


def _filtered(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(arguments), [], None, None, lineno=node.lineno)


def _escaper(form: Syntax) -> Callable[[Any], Markup]:
    escape = syntax.FORMS[form].escape

    def escaped(value: Any) -> Markup:
        if isinstance(value, Markup):
            return value
        return Markup(escape(limits.text(value)))  # noqa: S704 - escaped in this line

    return escaped


@lru_cache(maxsize=128)
def environment(
    folders: tuple[Path, ...], form: Syntax, *, explaining: bool = False
) -> PhoneEnvironment:
    """The environment for these folders, made once; templates reload when their file changes."""
    return (ExplainingEnvironment if explaining else PhoneEnvironment)(folders, form)


def render_template(
    folders: tuple[Path, ...], name: str, form: Syntax, context: Mapping[str, Any]
) -> bytes:
    """Render one template; raises RenderFailed or UnsafeValue, and never returns half a file."""
    try:
        with limits.bounded():
            phones = environment(folders, form, explaining=explain.is_recording())
            text = _rendered(phones.get_template(name), context)
    except UnsafeValue:
        raise
    except (
        TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
        ValueError,
    ) as error:  # fmt: skip
        raise RenderFailed(
            f"The template '{name}' failed: {type(error).__name__}: {error}",
            remedy="`provisioning check` shows where.",
        ) from error
    content = text.replace("\n", syntax.FORMS[form].newline).encode("utf-8")
    if len(content) > LARGEST_FILE:
        raise _too_large(name)
    return content


def _rendered(template: Template, context: Mapping[str, Any]) -> str:
    """The text, given up as soon as it is too long."""
    pieces = []
    length = 0
    for piece in template.generate(context):
        pieces.append(piece)
        length += len(piece)
        if length > LARGEST_FILE:
            raise _too_large(template.name or "")
    return "".join(pieces)


def _too_large(name: str) -> RenderFailed:
    return RenderFailed(
        f"The template '{name}' gave more than {LARGEST_FILE} bytes.",
        remedy="Look for a loop that does not end where it should.",
    )
