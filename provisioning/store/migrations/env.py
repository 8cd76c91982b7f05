"""What Alembic runs: the connection comes from ``store.migrate``, never from a file."""

from typing import Any, Literal

from alembic import context

from provisioning.store.base import UtcDateTime
from provisioning.store.tables import Base


def _render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own types as the plain ones they are, so that old migrations need no new code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=_render_item,
)
with context.begin_transaction():
    context.run_migrations()
