"""The forms files have: how a value is written into one, and how the file is read back.

``escape`` is applied to every value a template prints. ``parse`` gives the parameters of a file
in order as (name, value) and raises ValueError where the file is not of its form; tests and
`check` use it on everything that is rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provisioning.render.syntax import escapes, fanvil, gigaset, lines, statements, trees
from provisioning.vendors.schema import Syntax

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Form:
    """One syntax: how to escape a value, how to read a file, and what ends its lines.

    ``links`` gives the further files a file names: names or URLs, in the order they are fetched.
    """

    escape: Callable[[str], str]
    parse: Callable[[str], Parameters]
    newline: str = "\n"
    links: Callable[[str], list[str]] | None = None


FORMS: dict[Syntax, Form] = {
    Syntax.YEALINK: Form(escapes.line, lines.yealink),
    Syntax.YEALINK_BOOT: Form(escapes.line, lines.yealink_boot, links=lines.yealink_links),
    Syntax.CHECKSUM: Form(escapes.line, lines.checksum),
    Syntax.VCARD: Form(escapes.vcard, lines.vcard, newline="\r\n"),
    Syntax.XML: Form(escapes.xml, trees.leaves),
    Syntax.POLY_XML: Form(escapes.xml, trees.poly, links=trees.poly_links),
    Syntax.SNOM_XML: Form(escapes.xml, trees.snom, links=trees.snom_links),
    Syntax.GRANDSTREAM_XML: Form(escapes.xml, trees.grandstream),
    Syntax.LINPHONE_XML: Form(escapes.xml, trees.linphone),
    Syntax.CISCO_XML: Form(escapes.xml_by_name, trees.cisco),
    Syntax.CISCO_SEP_XML: Form(escapes.xml, trees.cisco_sep),
    Syntax.MITEL: Form(escapes.mitel, lines.mitel),
    Syntax.PANASONIC: Form(escapes.panasonic, lines.panasonic, newline="\r\n"),
    Syntax.GIGASET_XML: Form(escapes.xml, gigaset.provisioning),
    Syntax.GIGASET_FRAME: Form(escapes.xml_ascii, gigaset.provider_frame),
    Syntax.GIGASET_DIRECTORY: Form(escapes.xml, gigaset.directory),
    Syntax.GIGASET_ONLINE: Form(escapes.xml, gigaset.online),
    Syntax.FANVIL_TEXT: Form(escapes.line, fanvil.text),
    Syntax.FANVIL_XML: Form(escapes.xml, fanvil.xml),
    Syntax.HTEK_XML: Form(escapes.xml, trees.htek),
    Syntax.DIGIUM_XML: Form(escapes.xml, trees.digium, links=trees.digium_links),
    Syntax.VTECH: Form(escapes.line, lines.vtech),
    Syntax.OBI_XML: Form(escapes.xml, trees.obi),
    Syntax.TWO_N_XML: Form(escapes.xml, trees.two_n),
    Syntax.ALGO: Form(escapes.line, lines.algo),
    Syntax.INI: Form(escapes.line, statements.ini),
    Syntax.AVAYA: Form(escapes.avaya, statements.avaya),
    Syntax.ALE_XML: Form(escapes.xml, trees.ale),
}
