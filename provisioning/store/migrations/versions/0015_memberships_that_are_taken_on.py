"""Memberships that are taken on"""

import sqlalchemy as sa
from alembic import op


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('voicemail_failure', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_voicemail_failure_organisation_id'))

    op.drop_table('voicemail_failure')
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.add_column(sa.Column('acceptance_hash', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('acceptance_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_membership_acceptance_hash'), ['acceptance_hash'])


def downgrade() -> None:
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_membership_acceptance_hash'), type_='unique')
        batch_op.drop_column('acceptance_until')
        batch_op.drop_column('acceptance_hash')

    op.create_table('voicemail_failure',
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id', 'user_id'], ['user.organisation_id', 'user.id'], name=op.f('fk_voicemail_failure_organisation_id_user_id_user'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_voicemail_failure_organisation_id_organisation'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_voicemail_failure')),
    sa.UniqueConstraint('user_id', name=op.f('uq_voicemail_failure_user_id'))
    )
    with op.batch_alter_table('voicemail_failure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_voicemail_failure_organisation_id'), ['organisation_id'], unique=False)
