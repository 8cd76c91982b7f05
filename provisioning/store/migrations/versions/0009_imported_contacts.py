"""Imports of contacts."""

from alembic import op


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

_CHECK = 'ck_import_job_kind'


def upgrade() -> None:
    _only("kind IN ('users', 'devices', 'contacts')")


def downgrade() -> None:
    op.execute("DELETE FROM import_job WHERE kind = 'contacts'")
    _only("kind IN ('users', 'devices')")


def _only(condition: str) -> None:
    with op.batch_alter_table('import_job', schema=None) as batch_op:
        batch_op.drop_constraint(op.f(_CHECK), type_='check')
        batch_op.create_check_constraint(op.f(_CHECK), condition)
