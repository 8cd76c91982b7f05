"""Templates of an explaining render: what they keep for later keeps where it comes from.

``{% set %}``, the arguments of a macro and the items of a loop take what was looked up for them
along; reading a name tells it; the end of a line forgets what nothing printed. A plain render is
compiled without any of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from provisioning.render import explain

FILTERS: dict[str, Callable[..., Any]] = {
    "_touched": explain.touched,
    "_begun": lambda _nothing: explain.begun(),
    "_kept": explain.kept,
    "_each": explain.each,
    "_ended": lambda _nothing: explain.ended(),
}
"""The filters that the traced templates use."""


class Tracing(NodeTransformer):
    """Puts those filters into a template."""

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - Jinja's visitor protocol
        """Reading a name tells what its value carries."""
        return _filtered(node, "_touched") if node.ctx == "load" else node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802 - likewise
        """What is kept takes along what it was worked out from."""
        self.generic_visit(node)
        node.node = _worked_out(cast("nodes.Expr", node.node), "_kept")
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - likewise
        """What is handed to a macro does too."""
        self.generic_visit(node)
        node.args = [_worked_out(argument, "_kept") for argument in node.args]
        for keyword in node.kwargs:
            keyword.value = _worked_out(keyword.value, "_kept")
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - likewise
        """What is gone through does too."""
        self.generic_visit(node)
        node.iter = _worked_out(cast("nodes.Expr", node.iter), "_each")
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - likewise
        """Each end of a line is told."""
        self.generic_visit(node)
        pieces: list[nodes.Expr] = []
        for piece in node.nodes:
            pieces.append(piece)
            if isinstance(piece, nodes.TemplateData) and "\n" in piece.data:
                pieces.append(_filtered(nodes.Const("", lineno=node.lineno), "_ended"))
        node.nodes = pieces
        return node


def _worked_out(node: nodes.Expr, name: str) -> nodes.Expr:
    """The expression, handed to a filter together with the sign that it begins."""
    if isinstance(node, nodes.Const):
        return node
    begun = _filtered(nodes.Const("", lineno=node.lineno), "_begun")
    return _filtered(nodes.Tuple([begun, node], "load", lineno=node.lineno), name)


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
