"""Where the vendor folders shipped with this version stand."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_root() -> Path:
    """The folder of all shipped vendors: inside the installed package, else the checkout's own.

    A wheel carries them as ``provisioning/templates``; a checkout has them beside the package,
    where an editable install finds them too.
    """
    packaged = _PACKAGE / "templates"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "templates"
