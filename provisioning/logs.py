"""The process's own log: structlog on stderr, JSON unless somebody is watching."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logs(level: str) -> None:
    """Send what is at least ``level`` (``debug`` to ``error``) to stderr, one event a line.

    Libraries that use ``logging`` come the same way. Tracebacks are without the values of local
    variables: those hold secrets.
    """
    severity: int = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(severity),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(watched=sys.stderr.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(severity)
    # They tell of their own workings, at each start and with each sheet of labels.
    for told in ("alembic", "fontTools"):
        logging.getLogger(told).setLevel(max(severity, logging.WARNING))


def _rendering(*, watched: bool) -> tuple[Any, ...]:
    if watched:
        plain = structlog.dev.plain_traceback
        return (structlog.dev.ConsoleRenderer(exception_formatter=plain),)
    return structlog.processors.format_exc_info, structlog.processors.JSONRenderer()
