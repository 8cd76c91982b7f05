"""A new vendor folder to begin with: it loads, renders, passes the check and serves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from inspect import cleandoc
from pathlib import Path
from typing import Any

from provisioning.domain.errors import DuplicateName, InvalidInput
from provisioning.usecases.checks.golden import write_golden
from provisioning.usecases.checks.writing import writing_to
from provisioning.vendors.behaviour import HttpReload, Logout, Reload, Stays
from provisioning.vendors.load import load_vendor
from provisioning.vendors.reading import Readback, ReadKeys, ReadLines, ReadList
from provisioning.vendors.registry import Registry
from provisioning.vendors.schema import (
    Adopt,
    BootStep,
    Example,
    Expansion,
    FileRule,
    Model,
    Native,
    Screen,
    Screens,
    Tls,
    UserAgent,
    VendorData,
    ZoneGrammar,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TABLES: tuple[tuple[str, type[Any]], ...] = (
    ("[[files]]", FileRule),
    ("[[models]]", Model),
    ("[models.expansion]", Expansion),
    ("[models.screen]", Screen),
    ("[[user_agents]]", UserAgent),
    ("a member of examples", Example),
    ("[[zones]]", ZoneGrammar),
    ("a table in boot", BootStep),
    ("[adopt]", Adopt),
    ("[tls]", Tls),
    ("[reload]", Reload),
    ("[reload.http]", HttpReload),
    ("[[screens]]", Screens),
    ("[native]", Native),
    ("[logout]", Logout),
    ("a member of stays", Stays),
    ("[readback]", Readback),
    ("[[readback.lines]]", ReadLines),
    ("[[readback.keys]]", ReadKeys),
    ("a member of lists", ReadList),
)

_VENDOR = """\
# What this server knows of these phones. What no source gives is left out and means unknown: a
# guess costs a user their keys, an unknown costs nothing. docs/vendors.md explains every key;
# those not used yet stand below as comments. `provisioning check` says what is wrong.

id = "{name}"
name = "{title}"
boot = ["mac"]

[[files]]
id = "mac"
pattern = "{{mac}}.cfg"
template = "mac.cfg.j2"
syntax = "yealink"
secret = true
session = true

[[models]]
id = "Example"
lines = 2

[adopt.parameters]
"provisioning.url" = "{{url}}"

[tls]
none = "not known yet"

[reload]
none = "not known yet"
"""

_TEMPLATE = """\
#!version:1.0.0.1
{# One template renders this file for every model; docs/templates.md lists what it sees. The
   parameters are placeholders: put the vendor's own in their place. #}
{% for line in lines %}
account.{{ line.n }}.enable = 1
account.{{ line.n }}.label = {{ line.label }}
account.{{ line.n }}.display_name = {{ line.display_name }}
account.{{ line.n }}.user_name = {{ line.user_name }}
account.{{ line.n }}.auth_name = {{ line.auth_name }}
account.{{ line.n }}.password = {{ line.password }}
account.{{ line.n }}.server = {{ line.server.registrar }}
account.{{ line.n }}.port = {{ line.server.port }}
{% endfor %}
{# Many phones keep what a new file merely omits: what was somebody's is emptied by name. #}
{% for n in unused %}
account.{{ n }}.enable = 0
{% for name in ["label", "display_name", "user_name", "auth_name", "password"] %}
account.{{ n }}.{{ name }} =
{% endfor %}
{% endfor %}
{% for name, value in adopt %}
{{ name }} = {{ value }}
{% endfor %}
"""

_NOTES = """\
# {title}

Where each parameter comes from: **[2]** two or more independent sources agree, **[1]** one source.
`{{n}}` is the account from 1. The parameters below are placeholders of a new folder and no phone's;
put the vendor's in their place, each with its source. Never send one that is only a guess.

| Parameter | Meaning and values | Source |
|---|---|---|
| `account.{{n}}.enable` | 1 on, 0 off | none yet |
| `account.{{n}}.label` | text of the line's key | none yet |
| `account.{{n}}.display_name` | name in calls | none yet |
| `account.{{n}}.user_name` | SIP user | none yet |
| `account.{{n}}.auth_name` | authentication user | none yet |
| `account.{{n}}.password` | SIP password | none yet |
| `account.{{n}}.server` | registrar | none yet |
| `account.{{n}}.port` | its port | none yet |
| `provisioning.url` | where the phone asks from now on | none yet |
"""

_CASE = """\
of = "full-user"
model = "Example"
mac = "02:00:00:00:00:01"
"""


def new_vendor(registry: Registry, name: str, into: Path) -> Path:
    """Make the folder of a new vendor below ``into`` and return it.

    It holds vendor.toml with every key of the schema, one template, NOTES.md and a golden case.
    Raises InvalidInput for a name that is no dialect id or a folder that is not there,
    DuplicateName where the vendor exists.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"'{name[:40]}' is no name of a vendor.",
            remedy="Give lower-case letters, digits and dashes, for example acme.",
            field="name",
        )
    if not into.is_dir():
        raise InvalidInput(f"There is no folder {into}.", remedy="Make it first.", field="into")
    folder = into / name
    if name in registry.vendors or name in registry.disabled or folder.exists():
        raise DuplicateName(
            f"There is already a vendor '{name}'.", remedy="Choose another name.", field="name"
        )
    with writing_to(into):
        for file, text in _files(name).items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    write_golden(load_vendor([folder]))
    return folder


def _files(name: str) -> dict[str, str]:
    title = name.replace("-", " ").title()
    return {
        "vendor.toml": _VENDOR.format(name=name, title=title) + "\n" + "\n".join(_reference()),
        "mac.cfg.j2": _TEMPLATE,
        "NOTES.md": _NOTES.format(title=title),
        "golden/full-user/case.toml": _CASE,
    }


def _reference() -> Iterator[str]:
    """Every key of the schema with its default, as comments."""
    yield "# --- every key there is; those of the first list stand above all tables"
    for title, kind in (("the top of the file", VendorData), *_TABLES):
        yield from ("#", f"# {title}")
        yield from (f"#   {line}".rstrip() for line in cleandoc(kind.__doc__ or "").splitlines())
        yield from (f"# {item.name} = {_default(item)}" for item in fields(kind))
    yield ""


def _default(item: Field[Any]) -> str:
    if item.default_factory is not MISSING:
        return "{}"
    if item.default is MISSING:
        return f"...  needed ({_kind(item)})"
    if item.default is None:
        return f"...  unknown if left out ({_kind(item)})"
    if isinstance(item.default, bool):
        return str(item.default).lower()
    if isinstance(item.default, tuple):
        return f"[]  ({_kind(item)})"
    return f'"{item.default}"' if isinstance(item.default, str) else str(item.default)


def _kind(item: Field[Any]) -> str:
    """A field's type in words: ``list of str``, ``one of 'none', 'token'``."""
    text = str(item.type).removesuffix(" | None")
    text = re.sub(r"tuple\[(\w+), \.\.\.\]", r"list of \1", text)
    return re.sub(r"Literal\[(.*)\]", r"one of \1", text)
