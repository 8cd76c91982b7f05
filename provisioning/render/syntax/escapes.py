"""How a value is written into a file so that it stays one value."""

from __future__ import annotations

import re

from markupsafe import escape as escape_xml

from provisioning.domain.errors import UnsafeValue

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_LINE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_NOT_ATTRIBUTE = re.compile("[\t\n\r]")


def line(value: str) -> str:
    """A value on its own line: nothing can be escaped, so what would end the line is refused."""
    if found := _NOT_LINE.search(value):
        raise _unsafe(found, "a line")
    return value


def mitel(value: str) -> str:
    """A value as it is, in double quotes where a mark would end it (NOTES.md of the dialect)."""
    quoted = value.strip() != value or re.search('[#;,"]', value)
    return f'"{line(value)}"' if quoted else line(value)


def panasonic(value: str) -> str:
    """A value between double quotes; one inside it would void the whole file, so it is replaced."""
    return line(value).replace('"', "'")


def avaya(value: str) -> str:
    """A value in double quotes; bare where such a mark inside could end it early."""
    bare = '"' in value and not value.startswith('"') and value.strip() == value
    return line(value) if bare else f'"{line(value)}"'


def vcard(value: str) -> str:
    """A value of a vCard (RFC 6350 section 3.4): what parts and lists are made of is escaped."""
    return re.sub(r"([\\,;])", r"\\\1", line(value))


def xml(value: str) -> str:
    """Text or attribute value (XML 1.0 sections 2.2 and 2.4); line breaks never come from data."""
    if found := _NOT_XML.search(value) or _NOT_ATTRIBUTE.search(value):
        raise _unsafe(found, "XML")
    return str(escape_xml(value))


def xml_ascii(value: str) -> str:
    """As ``xml``, with character references (XML 1.0 section 4.1) beyond ASCII.

    For readers that take the declared encoding for another than the one they are sent.
    """
    return xml(value).encode("ascii", "xmlcharrefreplace").decode("ascii")


def xml_by_name(value: str) -> str:
    """As ``xml``, for readers that know the five named entities and no numbers."""
    return xml(value).replace("&#34;", "&quot;").replace("&#39;", "&apos;")


def _unsafe(found: re.Match[str], where: str) -> UnsafeValue:
    """The error for a character; it does not show the value, which may be a secret."""
    return UnsafeValue(
        f"A value holds U+{ord(found[0]):04X} as character {found.start() + 1}, "
        f"which {where} cannot carry.",
        remedy="Remove line breaks and control characters from the name or setting.",
    )
