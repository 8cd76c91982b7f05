"""Why a phone is not told"""

import sqlalchemy as sa
from alembic import op


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('reload', schema=None) as batch_op:
        batch_op.add_column(sa.Column('held', sa.String(), nullable=False, server_default=''))
    op.execute("UPDATE reload SET held = answer, answer = '' WHERE state = 'waiting'")


def downgrade() -> None:
    op.execute("UPDATE reload SET answer = held WHERE held != ''")
    with op.batch_alter_table('reload', schema=None) as batch_op:
        batch_op.drop_column('held')
