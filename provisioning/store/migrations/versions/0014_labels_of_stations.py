"""Labels of stations"""

import sqlalchemy as sa
from alembic import op

from provisioning.domain.ids import new_label_code

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('station', schema=None) as batch_op:
        batch_op.add_column(sa.Column('label_code', sa.String(), nullable=True))
    station = sa.table('station', sa.column('id', sa.Uuid()), sa.column('label_code', sa.String()))
    connection = op.get_bind()
    rows = [{'station': row, 'code': new_label_code()} for (row,) in connection.execute(sa.select(station.c.id))]
    if rows:
        connection.execute(
            sa.update(station)
            .where(station.c.id == sa.bindparam('station'))
            .values(label_code=sa.bindparam('code')),
            rows,
        )
    with op.batch_alter_table('station', schema=None) as batch_op:
        batch_op.alter_column('label_code', existing_type=sa.String(), nullable=False)
        batch_op.create_unique_constraint(batch_op.f('uq_station_label_code'), ['label_code'])


def downgrade() -> None:
    with op.batch_alter_table('station', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_station_label_code'), type_='unique')
        batch_op.drop_column('label_code')
