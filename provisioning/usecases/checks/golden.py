"""Golden cases and shared cases: what is rendered now against what is expected."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from traceback import walk_tb
from types import TracebackType

from jinja2 import TemplateSyntaxError

from provisioning.domain.errors import BadVendorFolder, BrokenRule
