"""Tables of settings and keys: values that stand at a level and belong to an owner there."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.keys import Area
from provisioning.domain.settings import STORED_LEVELS
from provisioning.store.base import Base, Owned, now, one_of

_LEVELS = ", ".join(f"'{level}'" for level in STORED_LEVELS)


class SettingValue(Owned, Base):
    """One value of one setting: level, owner there, key, value, lock, who set it and when.

    ``owner_id`` is the id of the organisation, site, profile, device, role or user; values of
    the class secret stand encrypted in ``secret`` and have a null ``value``.
    """

    __tablename__ = "setting"
    __table_args__ = (
        UniqueConstraint("level", "owner_id", "key"),
        CheckConstraint(f"level IN ({_LEVELS})", name="level"),
    )

    level: Mapped[str]
    owner_id: Mapped[UUID]
    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSON, nullable=True)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    locked: Mapped[bool] = mapped_column(default=False)
    set_by: Mapped[str] = mapped_column(default="")
    set_at: Mapped[datetime] = mapped_column(default=now)


class KeyValue(Owned, Base):
    """One key at a level: where it sits, what it does. ``model`` null stands for any model."""

    __tablename__ = "key"
    __table_args__ = (
        UniqueConstraint("level", "owner_id", "area", "module", "position"),
        CheckConstraint(f"level IN ({_LEVELS})", name="level"),
        one_of("area", Area, name="area"),
        CheckConstraint("module >= 0 AND position > 0", name="address"),
    )

    level: Mapped[str]
    owner_id: Mapped[UUID]
    area: Mapped[str]
    module: Mapped[int] = mapped_column(default=0)
    position: Mapped[int]
    type: Mapped[str]
    value: Mapped[str] = mapped_column(default="")
    label: Mapped[str] = mapped_column(default="")
    line: Mapped[int] = mapped_column(default=1)
