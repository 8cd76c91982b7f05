"""Tables of devices, what they are known by, their stations and who is assigned to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.ids import new_label_code
from provisioning.domain.kinds import (
    Appearance,
    DectRole,
    DeviceState,
    Hotdesking,
    IdentityKind,
    StationKind,
    Subscription,
)
from provisioning.store.base import Base, Owned, one_of, owned_key, unique_where, within


class Device(Owned, Base):
    """A thing that fetches.

    ``vendor`` and ``model`` are ids of vendor data, null while unknown; ``model_confirmed`` says
    that a proven request named it, ``handsets`` how many handsets it said it takes. ``version`` counts everything its files depend on that is its
    own. ``blanked_at`` is when a blocked or retired one fetched its blanking file.
    """

    __tablename__ = "device"
    __table_args__ = (
        owned_key(),
        within("site_id", "site"),
        within("profile_id", "profile"),
        one_of("state", DeviceState, name="state"),
    )

    name: Mapped[str] = mapped_column(default="")
    vendor: Mapped[str | None]
    model: Mapped[str | None]
    model_confirmed: Mapped[bool] = mapped_column(default=False)
    firmware: Mapped[str] = mapped_column(default="")
    site_id: Mapped[UUID] = mapped_column(index=True)
    profile_id: Mapped[UUID | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default=DeviceState.REGISTERED)
    nomadic: Mapped[bool] = mapped_column(default=False)
    expansion_modules: Mapped[int] = mapped_column(default=0)
    handsets: Mapped[int | None]
    firmware_channel: Mapped[str] = mapped_column(default="")
    admin_password_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    user_password_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    blanked_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class DeviceIdentity(Owned, Base):
    """What a device is known by; a retired device's are inactive and may be registered anew."""

    __tablename__ = "device_identity"
    __table_args__ = (
        within("device_id", "device", ondelete="CASCADE"),
        one_of("kind", IdentityKind, name="kind"),
        unique_where("uq_device_identity_active", "kind", "value", "active"),
        Index("ix_device_identity_device", "device_id"),
    )

    device_id: Mapped[UUID]
    kind: Mapped[str]
    value: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Station(Owned, Base):
    """What a person is given: a desk phone, a DECT handset, a softphone, an ATA port.

    Assignments, lines, sessions and keys refer to stations. A handset's station stands in a slot
    of a DECT system and has no device of its own. ``label_code`` ends the address on its label:
    it names the station and proves nothing.
    """

    __tablename__ = "station"
    __table_args__ = (
        owned_key(),
        within("device_id", "device", ondelete="CASCADE"),
        UniqueConstraint("device_id", "position"),
        one_of("kind", StationKind, name="kind"),
        one_of("hotdesking", Hotdesking, name="hotdesking"),
    )

    device_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(default=StationKind.DESK_PHONE)
    name: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=1)
    pool: Mapped[bool] = mapped_column(default=False)
    hotdesking: Mapped[str] = mapped_column(default=Hotdesking.POOL)
    label_code: Mapped[str] = mapped_column(default=new_label_code, unique=True)
    nomadic: Mapped[bool] = mapped_column(default=False)


class Assignment(Owned, Base):
    """A user at a station, in order; ``appearance`` says whether the line is shared."""

    __tablename__ = "assignment"
    __table_args__ = (
        within("station_id", "station", ondelete="CASCADE"),
        within("user_id", "user", ondelete="CASCADE"),
        UniqueConstraint("station_id", "user_id"),
        one_of("appearance", Appearance, name="appearance"),
        Index("ix_assignment_user", "user_id"),
    )

    station_id: Mapped[UUID]
    user_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(default=1)
    appearance: Mapped[str] = mapped_column(default=Appearance.PRIVATE)


class DectSystem(Owned, Base):
    """One or several member devices and numbered slots.

    ``capacity`` is the number of slots; null means the members' models do not say.
    """

    __tablename__ = "dect_system"
    __table_args__ = (
        owned_key(),
        within("site_id", "site"),
        UniqueConstraint("organisation_id", "name"),
        CheckConstraint("capacity IS NULL OR capacity > 0", name="capacity"),
    )

    name: Mapped[str]
    site_id: Mapped[UUID]
    capacity: Mapped[int | None]
    access_code_encrypted: Mapped[bytes] = mapped_column(LargeBinary)


class DectMember(Owned, Base):
    """A device in a DECT system: its role, cluster and level of synchronisation."""

    __tablename__ = "dect_member"
    __table_args__ = (
        within("system_id", "dect_system", ondelete="CASCADE"),
        within("device_id", "device", ondelete="CASCADE"),
        UniqueConstraint("device_id"),
        UniqueConstraint("system_id", "position"),
        unique_where("uq_dect_member_manager", "system_id", "role = 'manager'"),
        one_of("role", DectRole, name="role"),
    )

    system_id: Mapped[UUID]
    device_id: Mapped[UUID]
    role: Mapped[str] = mapped_column(default=DectRole.BASE)
    position: Mapped[int] = mapped_column(default=1)
    cluster: Mapped[int] = mapped_column(default=1)
    sync_level: Mapped[int] = mapped_column(default=1)


class DectSlot(Owned, Base):
    """A numbered place for a handset. Slots are never renumbered; a station sits in one slot.

    ``ipui`` is the handset's identity where the base tells it; ``access_code`` overrides the
    system's.
    """

    __tablename__ = "dect_slot"
    __table_args__ = (
        within("system_id", "dect_system", ondelete="CASCADE"),
        within("station_id", "station"),
        UniqueConstraint("system_id", "number"),
        UniqueConstraint("station_id"),
        CheckConstraint("number > 0", name="number"),
        one_of("subscription", Subscription, name="subscription"),
    )

    system_id: Mapped[UUID]
    number: Mapped[int]
    station_id: Mapped[UUID | None]
    ipui: Mapped[str | None]
    handset_model: Mapped[str | None]
    access_code_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    subscription: Mapped[str] = mapped_column(default=Subscription.UNKNOWN)
