"""The process's own log on stderr."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from provisioning.logs import configure_logs
configure_logs("info")
log = structlog.get_logger("x")
log.debug("unheard")
log.info("told", path="a.cfg")
logging.getLogger("library").warning("from %s", "afar")
geheim = "hidden" + "-value"
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def test_log_is_json_on_stderr_without_local_variables():
    """Events and libraries' records are one JSON object a line, tracebacks without locals."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    assert ran.stdout == ""
    told, library, failed = map(json.loads, ran.stderr.splitlines())
    assert (told["event"], told["level"], told["path"]) == ("told", "info", "a.cfg")
    assert (library["event"], library["level"]) == ("from afar", "warning")
    assert "ZeroDivisionError" in failed["exception"]
    assert "hidden-value" not in ran.stderr
