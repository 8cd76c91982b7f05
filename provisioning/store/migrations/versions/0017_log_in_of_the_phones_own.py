"""Log-in of the phone's own"""

import sqlalchemy as sa
from alembic import op


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('phone_upload',
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('content_encrypted', sa.LargeBinary(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id', 'user_id'], ['user.organisation_id', 'user.id'], name=op.f('fk_phone_upload_organisation_id_user_id_user'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_phone_upload_organisation_id_organisation'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phone_upload')),
    sa.UniqueConstraint('user_id', name=op.f('uq_phone_upload_user_id'))
    )
    with op.batch_alter_table('phone_upload', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_phone_upload_organisation_id'), ['organisation_id'], unique=False)
    with op.batch_alter_table('hotdesk_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('native', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('user', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pin_digest_encrypted', sa.LargeBinary(), nullable=True))
    with op.batch_alter_table('reload', schema=None) as batch_op:
        batch_op.add_column(sa.Column('restart_from', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('reload', schema=None) as batch_op:
        batch_op.drop_column('restart_from')
    with op.batch_alter_table('user', schema=None) as batch_op:
        batch_op.drop_column('pin_digest_encrypted')
    with op.batch_alter_table('hotdesk_session', schema=None) as batch_op:
        batch_op.drop_column('native')
    with op.batch_alter_table('phone_upload', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_phone_upload_organisation_id'))

    op.drop_table('phone_upload')
