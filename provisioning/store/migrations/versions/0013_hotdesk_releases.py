"""Hotdesk releases"""

import sqlalchemy as sa
from alembic import op


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

_CHECK = 'ck_hotdesk_session_ended_by'
_FORMER = "ended_by IN ('logout', 'admin', 'lease', 'moved', 'taken-over')"
_ENDS = (
    "ended_by IN ('logout', 'admin', 'lease', 'moved', 'taken-over', 'disabled', 'pin-changed', "
    "'password-reset', 'retired')"
)
_RELEASES = "release IN ('pending', 'released', 'rotated', 'still-registers')"


def upgrade() -> None:
    with op.batch_alter_table('hotdesk_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('request', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('ending_request', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('release', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('release_due_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_constraint(op.f(_CHECK), type_='check')
        batch_op.create_check_constraint(op.f(_CHECK), _ENDS)
        batch_op.create_check_constraint(op.f('ck_hotdesk_session_release'), _RELEASES)
        batch_op.create_index(batch_op.f('ix_hotdesk_session_release_due_at'), ['release_due_at'], unique=False)
        batch_op.create_index('uq_hotdesk_session_request', ['organisation_id', 'request'], unique=True, postgresql_where=sa.text('request IS NOT NULL'), sqlite_where=sa.text('request IS NOT NULL'))


def downgrade() -> None:
    op.execute("UPDATE hotdesk_session SET ended_by = 'admin' WHERE ended_by IN ('disabled', 'pin-changed', 'password-reset', 'retired')")
    with op.batch_alter_table('hotdesk_session', schema=None) as batch_op:
        batch_op.drop_index('uq_hotdesk_session_request', postgresql_where=sa.text('request IS NOT NULL'), sqlite_where=sa.text('request IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_hotdesk_session_release_due_at'))
        batch_op.drop_constraint(op.f('ck_hotdesk_session_release'), type_='check')
        batch_op.drop_constraint(op.f(_CHECK), type_='check')
        batch_op.create_check_constraint(op.f(_CHECK), _FORMER)
        batch_op.drop_column('release_due_at')
        batch_op.drop_column('release')
        batch_op.drop_column('ending_request')
        batch_op.drop_column('request')
