"""The outbox: which devices may have to load their files anew, and what each was served last.

A change marks every device that could show it, in its own transaction and by one statement.
Whether a byte of a device's files differs is found out later, beside the request that made the
change: only then is the device to be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    UniqueConstraint,
    and_,
    case,
    delete,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from provisioning.domain.ids import new_id
from provisioning.domain.kinds import ReloadState, Way
from provisioning.store import queries
from provisioning.store.authors import author_of
from provisioning.store.base import Base, Owned, chunks, now, one_of, within
from provisioning.store.devices import Device
from provisioning.store.searching import called
from provisioning.store.statements import run, upsert

COALESCE = timedelta(seconds=3)
"""How long changes of one device gather before it is looked at."""

LEASE = timedelta(seconds=60)
"""How long a device is left to whoever claimed it; after that it is anybody's again."""

COMING = timedelta(seconds=20)
"""How long a device that loads its files by itself is left alone."""

URGENT = "outbox-urgent"
"""In a session's ``info``: its transaction marks devices that somebody stands in front of."""

_CHANGED, _SAVED, _TOLD = str(ReloadState.CHANGED), str(ReloadState.SAVED), str(ReloadState.TOLD)


class Reload(Owned, Base):
    """That a device may have to load its files anew; at most one row for each device.

    ``reason`` names what was changed and ``actor`` who changed it. ``revision`` counts changes
    and fetches, so that whoever looked at the device sees that another came meanwhile; ``changes``
    counts changes alone, for whoever tells it. ``urgent`` goes first: somebody waits in front of
    the phone. ``saved_at`` is when its files were first found to differ. ``told_at``, ``way`` and
    ``answer`` are of the last time it was told or tried to be told (then ``told_at`` is null),
    ``tries`` how often that was, ``next_at`` when it is next, ``given_up`` why it is not any more.
    ``held`` is why it was neither told nor tried when its turn came last. Until ``coming_until`` it
    loads its files by itself and is left alone. With ``restart_from`` it has to restart,
    whatever its files say, and what it fetched up to that moment counts no more.
    """

    __tablename__ = "reload"
    __table_args__ = (
        within("device_id", "device", ondelete="CASCADE"),
        UniqueConstraint("device_id"),
        one_of("state", ReloadState, name="state"),
        one_of("way", Way, name="way"),
    )

    device_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=ReloadState.CHANGED)
    due_at: Mapped[datetime] = mapped_column(default=now, index=True)
    claimed_until: Mapped[datetime | None]
    saved_at: Mapped[datetime | None]
    changes: Mapped[int] = mapped_column(default=1)
    urgent: Mapped[bool] = mapped_column(default=False)
    told_at: Mapped[datetime | None]
    way: Mapped[str | None]
    answer: Mapped[str] = mapped_column(default="")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    given_up: Mapped[str] = mapped_column(default="")
    held: Mapped[str] = mapped_column(default="")
    coming_until: Mapped[datetime | None]
    restart_from: Mapped[datetime | None]


class ServedFile(Base):
    """What a device was served last of one of the files that prove it is current.

    ``rule`` is the file rule's id in the vendor's folder; ``door``, ``model`` and ``firmware``
    are what the request told, without which the same bytes cannot be made again. ``address`` is
    where it came from, ``since`` when it first got these bytes. Written behind, so the device may
    be gone by then: ids without foreign keys.
    """

    __tablename__ = "served_file"
    __table_args__ = (UniqueConstraint("device_id", "rule"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID]
    device_id: Mapped[UUID]
    at: Mapped[datetime]
    vendor: Mapped[str]
    rule: Mapped[str]
    door: Mapped[str]
    model: Mapped[str] = mapped_column(default="")
    firmware: Mapped[str] = mapped_column(default="")
    content_hash: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    since: Mapped[datetime]


# --- what a change marks


class Stale(Protocol):
    """The ids of what a flush made stale; ``urgent`` if somebody waits in front of the phone."""

    devices: set[UUID]
    sites: set[UUID]
    profiles: set[UUID]
    organisations: set[UUID]
    urgent: bool


_CONCERNED = "outbox-concerned"


def concerned(session: Session) -> list[UUID]:
    """The devices this session's transaction has marked so far."""
    found: list[Select[Any]] = session.info.get(_CONCERNED, [])
    ids: dict[UUID, None] = {}
    for statement in found:
        ids |= dict.fromkeys(session.scalars(statement.with_only_columns(Device.id)))
    return list(ids)


def mark(session: Session, stale: Stale, reason: str) -> None:
    """Mark every device that may show what a flush changed, with a statement or a few."""
    author = author_of(session)
    if stale.urgent:
        session.info[URGENT] = True
    for condition in _conditions(stale):
        devices = select(Device).where(condition)
        if author is not None and author.device_id is not None:
            devices = devices.where(Device.id != author.device_id)  # it told it, so it knows
        session.info.setdefault(_CONCERNED, []).append(devices)
        _mark(session, devices, reason, urgent=stale.urgent)


def _conditions(stale: Stale) -> Iterator[ColumnElement[bool]]:
    """Which devices are concerned: in one condition, unless there are very many by themselves."""
    places = (
        (Device.site_id, stale.sites),
        (Device.profile_id, stale.profiles),
        (Device.organisation_id, stale.organisations),
    )
    wide = [column.in_(ids) for column, ids in places if ids]
    for chunk in chunks(sorted(stale.devices)):
        yield or_(Device.id.in_(chunk), *wide)
        wide = []
    if wide:
        yield or_(*wide)


def _mark(session: Session, devices: Select[Any], reason: str, *, urgent: bool) -> None:
    author, at = author_of(session), now()
    values = {
        "id": Device.id,  # one row for each device, so its id will do
        "device_id": Device.id,
        "organisation_id": Device.organisation_id,
        "created_at": literal(at, Reload.created_at.type),
        "revision": literal(1),
        "reason": literal(reason),
        "actor": literal(author.name if author else ""),
        "state": literal(_CHANGED),
        "due_at": literal(at if urgent else at + COALESCE, Reload.due_at.type),
        "changes": literal(1),
        "urgent": literal(urgent),
        "answer": literal(""),
        "tries": literal(0),
        "given_up": literal(""),
        "held": literal(""),
    }
    # In one order for everybody, so that two who mark the same devices do not wait in a circle.
    chosen = devices.with_only_columns(*values.values()).order_by(Device.id)
    marked = upsert(session, Reload).from_select(list(values), chosen)
    waiting = Reload.state == _CHANGED
    new = marked.excluded
    statement = marked.on_conflict_do_update(
        index_elements=["device_id"],
        set_={
            "revision": Reload.revision + 1,
            "state": new.state,
            "reason": case((waiting, Reload.reason), else_=new.reason),
            "actor": case((waiting, Reload.actor), else_=new.actor),
            "created_at": case((waiting, Reload.created_at), else_=new.created_at),
            "due_at": new.due_at if urgent else case((waiting, Reload.due_at), else_=new.due_at),
            "changes": Reload.changes + 1,
            "urgent": or_(new.urgent, and_(waiting, Reload.urgent)),
            "coming_until": None if urgent else Reload.coming_until,
            **dict.fromkeys(("saved_at", "claimed_until", "told_at", "way", "next_at")),
            **{name: new[name] for name in ("answer", "tries", "given_up", "held")},
        },
    )
    session.execute(statement)


# --- what phones fetched


class Seen(Protocol):
    """A sighting, as far as it tells what a device was served."""

    at: datetime
    door: str
    address: str
    organisation_id: UUID | None
    device_id: UUID | None
    vendor: str
    model: str
    firmware: str
    content_hash: str
    proof_rule: str


def write_served(session: Session, batch: Iterable[Seen]) -> None:
    """Note what devices were served; those that are to be told may have come by themselves."""
    latest = {
        (seen.device_id, seen.proof_rule): seen
        for seen in batch
        if seen.proof_rule and seen.content_hash and seen.device_id and seen.organisation_id
    }
    if not latest:
        return
    names = [column.name for column in ServedFile.__table__.columns if column.name != "id"]
    rows = [
        {name: getattr(seen, name, None) for name in names}
        | {"id": new_id(), "rule": seen.proof_rule, "since": seen.at}
        for _, seen in sorted(latest.items(), key=str)
    ]
    served = upsert(session, ServedFile)
    told = {name: served.excluded[name] for name in names if name not in ("device_id", "rule")}
    same = ServedFile.content_hash == served.excluded.content_hash
    told["since"] = case((same, ServedFile.since), else_=served.excluded.since)
    session.execute(
        served.on_conflict_do_update(
            index_elements=["device_id", "rule"],
            set_=told,
            where=ServedFile.at <= served.excluded.at,
        ),
        rows,
    )
    come = Reload.device_id.in_({device for device, _ in latest})
    waiting = select(Reload.id, Reload.state).where(come).order_by(Reload.id)
    found = session.execute(
        waiting.with_for_update()
    ).all()  # in the order in which they are marked
    if not found:
        return
    here = update(Reload).where(Reload.id.in_([row.id for row in found]))
    run(session, here.values(coming_until=now() + COMING))
    again = update(Reload).where(Reload.id.in_([row.id for row in found if row.state != _CHANGED]))
    run(session, again.values(state=_CHANGED, due_at=now(), revision=Reload.revision + 1))


def served_files(session: Session, devices: Collection[UUID]) -> list[ServedFile]:
    """What devices were served last."""
    return list(session.scalars(select(ServedFile).where(ServedFile.device_id.in_(devices))))


def note_shown(session: Session, device: UUID, hashes: Mapping[str, str]) -> None:
    """Note that a device shows by itself what these files, by rule, would tell it."""
    for rule, content in sorted(hashes.items()):
        of_it = update(ServedFile).where(ServedFile.device_id == device, ServedFile.rule == rule)
        run(session, of_it.values(content_hash=content))


def restart(session: Session, devices: Collection[UUID], at: datetime) -> None:
    """Have devices that a transaction has marked restart: what they fetched before counts no more."""
    run(session, update(Reload).where(Reload.device_id.in_(devices)).values(restart_from=at))


def need_not_restart(session: Session, device: UUID) -> None:
    """Have a device that is to restart only compared: it has done without being told."""
    row = update(Reload).where(Reload.device_id == device, Reload.restart_from.is_not(None))
    again = {"restart_from": None, "state": _CHANGED, "due_at": now(), "claimed_until": None}
    run(session, row.values(**again, revision=Reload.revision + 1))


def forget_served(session: Session) -> None:
    """Delete what is noted of devices that are gone."""
    gone = ServedFile.device_id.not_in(select(Device.id))
    run(session, delete(ServedFile).where(gone))


# --- looking at the devices that are due


def _due(at: datetime) -> Select[Any]:
    free = or_(Reload.claimed_until.is_(None), Reload.claimed_until < at)
    return (
        select(Reload)
        .where(Reload.state == _CHANGED, Reload.due_at <= at, free)
        .order_by(Reload.urgent.desc(), Reload.due_at)
    )


def any_due(session: Session, at: datetime) -> bool:
    """Whether a device waits to be looked at."""
    return session.scalar(_due(at).with_only_columns(Reload.id).limit(1)) is not None


def claim(session: Session, at: datetime, limit: int) -> list[Reload]:
    """Devices that are due, for this caller alone until the lease ends."""
    rows = list(session.scalars(_due(at).limit(limit).with_for_update(skip_locked=True)))
    session.expunge_all()
    taken = update(Reload).where(Reload.id.in_([row.id for row in rows]))
    run(session, taken.values(claimed_until=at + LEASE))
    return rows


def finish(session: Session, looked_at: Mapping[Reload, bool], at: datetime) -> list[Reload]:
    """Take out the devices that have what they should; keep those whose files differ.

    Returns these, that are to be told. One that was changed again meanwhile is given back, to be
    looked at once more.
    """
    kept = []
    for row in sorted(looked_at, key=lambda row: row.id):  # the order in which they are marked
        same = (Reload.id == row.id, Reload.revision == row.revision)
        if looked_at[row]:
            saved_at = row.saved_at or at
            state = case((Reload.told_at.is_(None), _SAVED), else_=_TOLD)
            to_tell = update(Reload).where(*same)
            if run(session, to_tell.values(state=state, claimed_until=None, saved_at=saved_at)):
                kept.append(row)
        else:
            run(session, delete(Reload).where(*same))
        changed = update(Reload).where(Reload.id == row.id, Reload.state == _CHANGED)
        run(session, changed.values(claimed_until=None))
    return kept


# --- reading


def reload_of(session: Session, device: UUID, *, lock: bool = False) -> Reload | None:
    """What a device is waiting for, if it waits; ``lock`` keeps others from changing it."""
    found = select(Reload).where(Reload.device_id == device)
    return session.scalar(found.with_for_update() if lock else found)


def reloads(
    session: Session, organisation: UUID, *, state: str, q: str = "", limit: int,
    cursor: UUID | None,
) -> list[Reload]:  # fmt: skip
    """A page of an organisation's devices that wait, those in a state or of a name if asked for."""
    asked = [Reload.state == state] if state else []
    asked += [called(Reload.device_id, Device, q)] if q else []
    where = and_(*asked) if asked else None
    return queries.owned(session, Reload, organisation, where=where, limit=limit, cursor=cursor)
