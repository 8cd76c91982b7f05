"""Templates of pages to HTML. Whatever they are given is escaped; there is no script anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from provisioning.domain.wording import say

_FOLDER = Path(__file__).parent / "pages"

STYLE = (_FOLDER / "style.css").read_bytes()
STYLE_HASH = hashlib.sha256(STYLE).hexdigest()[:16]
STYLE_PATH = f"/style-{STYLE_HASH}.css"
"""The style sheet's address changes with its content, so that browsers may keep it."""

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def rendered(name: str, language: str, values: Mapping[str, Any]) -> str:
    """The HTML of a page in a language."""
    template = _ENVIRONMENT.get_template(f"{name}.html")
    return template.render(
        values, t=partial(say, language), language=language, style_path=STYLE_PATH
    )
