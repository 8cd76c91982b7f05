"""The command `provisioning`, also as ``python -m provisioning``."""

from __future__ import annotations

import os
import sys

from provisioning.cli import app
from provisioning.domain.errors import BrokenRule


def main() -> None:
    """Run a command; a broken rule is one line on stderr and exit status 1, bad usage is 2."""
    os.umask(0o077)  # the database is made by SQLite, which asks for no mode
    try:
        app()
    except BrokenRule as error:
        sys.exit(f"provisioning: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
