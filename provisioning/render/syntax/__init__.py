"""The forms files have: how a value is written into one, and how the file is read back.

``escape`` is applied to every value a template prints. ``parse`` gives the parameters of a file
in order as (name, value) and raises ValueError where the file is not of its form; tests and
`check` use it on everything that is rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provisioning.render.syntax import escapes, lines, trees
from provisioning.vendors.schema import Syntax

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Form:
    """One syntax: how to escape a value, and how to read a file."""

    escape: Callable[[str], str]
    parse: Callable[[str], Parameters]


FORMS: dict[Syntax, Form] = {
    Syntax.YEALINK: Form(escapes.line, lines.yealink),
    Syntax.YEALINK_BOOT: Form(escapes.line, lines.yealink_boot),
    Syntax.XML: Form(escapes.xml, trees.leaves),
    Syntax.POLY_XML: Form(escapes.xml, trees.poly),
    Syntax.SNOM_XML: Form(escapes.xml, trees.snom),
    Syntax.GRANDSTREAM_XML: Form(escapes.xml, trees.grandstream),
    Syntax.LINPHONE_XML: Form(escapes.xml, trees.linphone),
}
