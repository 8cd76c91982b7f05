"""Telling phones"""

import sqlalchemy as sa
from alembic import op


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


_STATE = 'ck_reload_state'
_OLD = "state IN ('changed', 'saved')"
_NEW = "state IN ('changed', 'saved', 'told', 'waiting', 'given-up')"


def upgrade() -> None:
    op.create_table('pace',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_pace'))
    )
    op.create_table('phone_calls',
    sa.Column('device_id', sa.Uuid(), nullable=False),
    sa.Column('calls', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id', 'device_id'], ['device.organisation_id', 'device.id'], name=op.f('fk_phone_calls_organisation_id_device_id_device'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_phone_calls_organisation_id_organisation'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phone_calls')),
    sa.UniqueConstraint('device_id', name=op.f('uq_phone_calls_device_id'))
    )
    with op.batch_alter_table('phone_calls', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_phone_calls_organisation_id'), ['organisation_id'], unique=False)

    with op.batch_alter_table('reload', schema=None) as batch_op:
        batch_op.add_column(sa.Column('changes', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('urgent', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('told_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('way', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('answer', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('tries', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('next_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('given_up', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('coming_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_constraint(op.f(_STATE), type_='check')
        batch_op.create_check_constraint(op.f(_STATE), _NEW)
        batch_op.create_check_constraint(op.f('ck_reload_way'), "way IN ('sip', 'asterisk', 'freeswitch', 'http')")

    with op.batch_alter_table('served_file', schema=None) as batch_op:
        batch_op.add_column(sa.Column('address', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('since', sa.DateTime(timezone=True), nullable=True))
    op.execute('UPDATE served_file SET since = at')
    with op.batch_alter_table('served_file', schema=None) as batch_op:
        batch_op.alter_column('since', existing_type=sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    op.execute("UPDATE reload SET state = 'saved' WHERE state NOT IN ('changed', 'saved')")
    with op.batch_alter_table('served_file', schema=None) as batch_op:
        batch_op.drop_column('since')
        batch_op.drop_column('address')

    with op.batch_alter_table('reload', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_reload_way'), type_='check')
        batch_op.drop_constraint(op.f(_STATE), type_='check')
        batch_op.create_check_constraint(op.f(_STATE), _OLD)
        batch_op.drop_column('coming_until')
        batch_op.drop_column('given_up')
        batch_op.drop_column('next_at')
        batch_op.drop_column('tries')
        batch_op.drop_column('answer')
        batch_op.drop_column('way')
        batch_op.drop_column('told_at')
        batch_op.drop_column('urgent')
        batch_op.drop_column('changes')

    with op.batch_alter_table('phone_calls', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_phone_calls_organisation_id'))

    op.drop_table('phone_calls')
    op.drop_table('pace')
