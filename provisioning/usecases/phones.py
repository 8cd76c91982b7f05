"""From a snapshot of rows to the phone as it should be: people, lines, settings and keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from provisioning.crypto.secrets import Cipher
from provisioning.domain.effective import Effective, Layer, Origin, resolve
from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.kinds import Appearance, DeviceState
from provisioning.domain.phone import Line, Phone, Provisioning, Server
from provisioning.domain.settings import BY_KEY, Level, Scope, Value
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.snapshots import Snapshot
from provisioning.store.values import KeyValue, SettingValue

PURPOSE_SIP = "sip-account"
PURPOSE_PHONE = "phone-password"
PURPOSE_SETTING = "setting"

_LEVELS = list(Level)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the request adds to the snapshot: the model and firmware it comes from."""

    model: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class _Person:
    user: User
    shared: bool


def build_phone(
    snapshot: Snapshot, cipher: Cipher, *, facts: Facts, provisioning: Provisioning, now: datetime
) -> Phone:
    """The phone that a snapshot describes; ``now`` decides the year of the clock's rules."""
    device = snapshot.device
    people = _people(snapshot)
    layers = list(_layers(snapshot, cipher))
    blank = device.state in (DeviceState.BLOCKED, DeviceState.RETIRED)
    alone = people[0].user.id if len(people) == 1 and not blank else None
    settings = resolve(_concerning(layers, alone), scope=Scope.DEVICE)
    return Phone(
        mac=snapshot.mac,
        name=device.name,
        model=facts.model or device.model or "",
        firmware=facts.firmware or device.firmware,
        organisation=snapshot.organisation.name,
        site=snapshot.site.name,
        settings=settings,
        year=_year(settings, now),
        lines=() if blank else tuple(_lines(snapshot, cipher, people, layers)),
        keys=() if blank else tuple(_keys(snapshot, alone)),
        provisioning=provisioning,
        pool=any(station.pool for station in snapshot.stations),
        blank=blank,
        expansion_modules=device.expansion_modules,
        admin_password=str(settings["admin.password"].value)
        or cipher.decrypt(device.admin_password_encrypted, PURPOSE_PHONE),
        user_password=str(settings["user.password"].value)
        or cipher.decrypt(device.user_password_encrypted, PURPOSE_PHONE),
    )


def _people(snapshot: Snapshot) -> list[_Person]:
    """Who is assigned, in order of stations and then of assignments, without disabled users."""
    order = {station.id: station.position for station in snapshot.stations}
    ordered = sorted(snapshot.assignments, key=lambda a: (order[a.station_id], a.position))
    return [
        _Person(snapshot.users[item.user_id], item.appearance == Appearance.SHARED)
        for item in ordered
        if snapshot.users[item.user_id].enabled
    ]


def _year(settings: dict[str, Effective], now: datetime) -> int:
    try:
        zone = ZoneInfo(str(settings["time.zone"].value) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return now.astimezone(UTC).year
    return now.astimezone(zone).year


# --- settings


@dataclass(frozen=True, slots=True)
class _Owned:
    owner: UUID
    layer: Layer


def _layers(snapshot: Snapshot, cipher: Cipher) -> Iterable[_Owned]:
    names = owner_names(snapshot)
    for row in snapshot.settings:
        setting = BY_KEY.get(row.key)
        if setting is None:
            continue  # a key of another version
        origin = Origin(Level(row.level), names.get(row.owner_id, ""), row.set_by, row.set_at)
        yield _Owned(row.owner_id, Layer(row.key, stored_value(row, cipher), origin, row.locked))


def owner_names(snapshot: Snapshot) -> dict[UUID, str]:
    """What the owners of values are called."""
    names = {
        snapshot.organisation.id: snapshot.organisation.name,
        snapshot.site.id: snapshot.site.name,
        snapshot.device.id: snapshot.device.name,
    }
    if snapshot.profile:
        names[snapshot.profile.id] = snapshot.profile.name
    return names | {user.id: user.name for user in snapshot.users.values()}


def stored_value(row: SettingValue, cipher: Cipher) -> Value:
    """A stored value in its inside form, decrypted where it is a secret."""
    if row.secret is not None:
        return cipher.decrypt(row.secret, PURPOSE_SETTING)
    value: Value = tuple(row.value) if isinstance(row.value, list) else row.value
    return value


def _concerning(
    layers: Sequence[_Owned], user: UUID | None, role: UUID | None = None
) -> list[Layer]:
    """The layers that hold for a device, or for one person on it."""
    personal = {Level.USER: user, Level.ROLE: role}
    return [
        item.layer
        for item in layers
        if item.layer.origin.level not in personal
        or (item.owner == personal[item.layer.origin.level])
    ]


# --- lines


def _lines(
    snapshot: Snapshot, cipher: Cipher, people: Sequence[_Person], layers: Sequence[_Owned]
) -> Iterable[Line]:
    for person in people:
        user = person.user
        settings = resolve(_concerning(layers, user.id, user.role_id), scope=Scope.LINE)
        for account in snapshot.accounts:
            if account.user_id == user.id:
                yield _line(snapshot, cipher, account, settings, user=user, shared=person.shared)
    stations = {station.id: station for station in snapshot.stations}
    settings = resolve(_concerning(layers, None), scope=Scope.LINE)
    for account in snapshot.accounts:
        if account.station_id in stations and not people:
            yield _line(snapshot, cipher, account, settings, user=None, shared=False)


def _line(
    snapshot: Snapshot,
    cipher: Cipher,
    account: SipAccount,
    settings: dict[str, Effective],
    *,
    user: User | None,
    shared: bool,
) -> Line:
    name = user.name if user else snapshot.device.name
    extension = (user.extension if user else None) or account.username
    return Line(
        user_name=account.username,
        auth_name=account.auth_name or account.username,
        password=cipher.decrypt(account.password_encrypted, PURPOSE_SIP),
        display_name=name or extension,
        label=name or extension,
        extension=extension,
        server=_server(snapshot.servers[account.sip_server_id]),
        settings=settings,
        shared=shared,
    )


def _server(row: SipServer) -> Server:
    return Server(
        registrar=row.registrar,
        port=row.port,
        transport=row.transport,
        outbound_proxy=row.outbound_proxy,
        outbound_port=row.outbound_port,
        backup=row.backup,
        backup_port=row.backup_port,
        codes=dict(row.codes),
    )


# --- keys


def _keys(snapshot: Snapshot, alone: UUID | None) -> Iterable[Key]:
    """Keys by address, those of later levels over those of earlier ones."""
    role = snapshot.users[alone].role_id if alone else None
    held: dict[KeyAddress, KeyValue] = {}
    for row in sorted(snapshot.keys, key=lambda row: _LEVELS.index(Level(row.level))):
        if row.level == Level.USER and row.owner_id != alone:
            continue
        if row.level == Level.ROLE and row.owner_id != role:
            continue
        held[KeyAddress(Area(row.area), row.module, row.position)] = row
    return [
        Key(address, KeyType(row.type), row.value, row.label, row.line)
        for address, row in sorted(held.items())
    ]
