"""From a snapshot of rows to the phone as it should be: people, lines, settings and keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from provisioning.crypto.secrets import Cipher
from provisioning.domain.effective import (
    RIGHTS_ON_PHONES,
    Effective,
    Layer,
    Origin,
    resolve,
    strictest,
)
from provisioning.domain.hotdesk import takes_logins
from provisioning.domain.keys import KeyType
from provisioning.domain.kinds import DectRole, DeviceState, Hotdesking, Purpose
from provisioning.domain.packages import package_layers
from provisioning.domain.personal_settings import SHOW_CALLS
from provisioning.domain.phone import Dect, Login, Look, Member, Phone, Provisioning, Station
from provisioning.domain.settings import BY_KEY, Level, Scope, Value
from provisioning.domain.timezones import zone_named
from provisioning.store.people import User
from provisioning.store.snapshots import Snapshot
from provisioning.store.values import SettingValue
from provisioning.usecases import layouts as keys
from provisioning.usecases.functions import Person
from provisioning.usecases.lines import OwnedLayer, concerning, lines_at, people_at, person
from provisioning.usecases.purposes import PURPOSE_DECT, PURPOSE_PHONE, PURPOSE_SETTING
from provisioning.usecases.showing import picture_path

_ANYWHERE = frozenset({Level.ORGANISATION, Level.ROLE, Level.USER})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the request adds to the snapshot: the model and firmware it comes from."""

    model: str = ""
    firmware: str = ""


def build_phone(
    snapshot: Snapshot, cipher: Cipher, *, facts: Facts, provisioning: Provisioning, now: datetime
) -> Phone:
    """The phone that a snapshot describes; ``now`` decides the year of the clock's rules."""
    device = snapshot.device
    layers = list(_layers(snapshot, cipher))
    blank = device.state in (DeviceState.BLOCKED, DeviceState.RETIRED)
    owner = None if blank else _alone(snapshot)
    settings = resolve(concerning(layers, owner), scope=Scope.DEVICE)
    rules = resolve(concerning(layers, None), scope=Scope.RULE)
    people = [] if blank or snapshot.system is not None else _people(snapshot)
    crew = [_person(snapshot, layers, user) for user in people]
    places = tuple(_places(snapshot, cipher, layers))
    if blank:
        places = tuple(replace(place, name="", lines=()) for place in places)
    else:
        settings |= _of_people(places)
        settings |= _welcome(snapshot, settings, places)
    stations = places if snapshot.system is not None or len(places) > 1 else ()
    phone = Phone(
        mac=snapshot.mac,
        name=device.name,
        model=facts.model or device.model or "",
        firmware=facts.firmware or device.firmware,
        organisation=snapshot.organisation.display_name or snapshot.organisation.name,
        site=snapshot.site.name,
        settings=settings,
        year=_year(settings, now),
        lines=tuple(line for place in places for line in place.lines),
        stations=stations,
        dect=_dect(snapshot, cipher),
        keys=keys.at_addresses(snapshot, crew),
        poured=keys.poured(snapshot, crew),
        withheld=keys.withheld(snapshot, crew),
        provisioning=provisioning,
        look=Look() if blank else _look(snapshot, settings, owner),
        pool=any(station.pool for station in snapshot.stations),
        login=Login.NONE if blank else _login(snapshot, crew),
        open_pin=bool(rules["hotdesk.open-pin"].value),
        blank=blank,
        expansion_modules=device.expansion_modules,
        admin_password=str(settings["admin.password"].value)
        or cipher.decrypt(device.admin_password_encrypted, PURPOSE_PHONE),
        user_password=str(settings["user.password"].value)
        or cipher.decrypt(device.user_password_encrypted, PURPOSE_PHONE),
        location=snapshot.site.emergency_location or snapshot.organisation.address,
        emergency_caller_id=snapshot.site.emergency_caller_id,
    )
    return replace(phone, hidden=_hidden(snapshot, cipher, phone))


def _hidden(snapshot: Snapshot, cipher: Cipher, phone: Phone) -> tuple[str, ...]:
    """Who is watched by a key of the phone and wants nobody to see their calls (FEATURES D1)."""
    poured = (key for item in phone.poured for key in item.keys)
    watched = {key.value for key in (*phone.keys, *poured) if key.type is KeyType.BLF}
    layers = list(layers_of(snapshot, cipher, snapshot.privacy))

    def shows(user: User) -> bool:
        held = resolve(concerning(layers, user), scope=Scope.PERSON)[SHOW_CALLS]
        return bool(held.value)

    people = [user for user in snapshot.colleagues if layers and user.extension in watched]
    return tuple(sorted(user.name for user in people if not shows(user)))


def alone(snapshot: Snapshot) -> UUID | None:
    """The id of the device's user, if it has exactly one."""
    user = _alone(snapshot)
    return user.id if user else None


def person_values(snapshot: Snapshot, cipher: Cipher) -> dict[str, Effective]:
    """What holds for the device's user of the settings about a person, if it has exactly one."""
    owner = _alone(snapshot)
    return person(list(_layers(snapshot, cipher)), owner) if owner else {}


def _alone(snapshot: Snapshot) -> User | None:
    """The device's user, if it has exactly one."""
    people = _people(snapshot)
    return people[0] if len(people) == 1 else None


def _people(snapshot: Snapshot) -> list[User]:
    """Everybody who has a line of the device, in the order of the lines."""
    return [user for station in snapshot.stations for user, _ in people_at(snapshot, station.id)]


def _person(snapshot: Snapshot, layers: Sequence[OwnedLayer], user: User) -> Person:
    """Whom the device's keys are for."""
    first = next((row for row in snapshot.accounts if row.user_id == user.id), None)
    return Person(
        user,
        person(layers, user),
        codes=dict(snapshot.servers[first.sip_server_id].codes) if first else {},
        numbers=snapshot.numbers.get(user.id, ()),
        cost_centre=snapshot.cost_centres.get(user.cost_centre_id) if user.cost_centre_id else None,
        targets=snapshot.targets,
    )


STEERED = RIGHTS_ON_PHONES[0]
"""What the settings of a line hold that is a person's, and none that is its place's."""


def _of_people(places: Sequence[Station]) -> dict[str, Effective]:
    """What holds for the whole phone because of the people on it (FEATURES C2, C4, C5).

    A right is there once only where all have it; nobody may call out where no line may.
    """
    lines = [
        line
        for place in places
        for line in place.lines
        if STEERED in line.settings and not line.of_place
    ]
    found = strictest([line.settings for line in lines])
    texts = [line.barred for line in lines if line.barred]
    if texts and len(texts) == len(lines):
        found["idle.text"] = texts[0]
    return found


def _login(snapshot: Snapshot, crew: Sequence[Person]) -> Login:
    """Whether the phone has a hotdesk key: where it takes logins and its people may log in (G1)."""
    if snapshot.system is not None or not snapshot.stations:
        return Login.NONE
    station = snapshot.stations[0]
    if station.id in snapshot.seated:
        return Login.NATIVE if station.id in snapshot.native else Login.OUT
    takes = takes_logins(Hotdesking(station.hotdesking), pool=station.pool)
    may = all(who.may("feature.hotdesking") for who in crew)
    return Login.IN if takes and may else Login.NONE


def _welcome(
    snapshot: Snapshot, settings: Mapping[str, Effective], places: Sequence[Station]
) -> dict[str, Effective]:
    """The idle text of a phone with room for guests where none is set (FEATURES A1)."""
    name = snapshot.organisation.display_name
    unset = settings["idle.text"].origin.level is Level.BUILT_IN
    taken = bool(places) and all(any(not line.of_place for line in p.lines) for p in places)
    if taken or not (unset and name):
        return {}
    origin = Origin(Level.ORGANISATION, snapshot.organisation.name)
    return {"idle.text": Effective("idle.text", name, origin)}


def _look(snapshot: Snapshot, settings: Mapping[str, Effective], owner: User | None) -> Look:
    """The wallpaper of the device's user where they may choose one, else the organisation's."""
    chosen = (owner.id,) if owner is not None and settings["right.cover"].value else ()
    own = picture_path(snapshot.look, Purpose.COVER, *chosen)
    return Look(
        wallpaper=own or picture_path(snapshot.look, Purpose.COVER, None),
        logo=picture_path(snapshot.look, Purpose.AVATAR, None),
        chosen_by=owner.name if owner is not None and own else "",
    )


def _places(snapshot: Snapshot, cipher: Cipher, layers: Sequence[OwnedLayer]) -> Iterable[Station]:
    """The device's stations, or its system's slots, in order with the empty ones."""
    if snapshot.system is None:
        for row in snapshot.stations:
            lines = tuple(lines_at(snapshot, cipher, row, layers))
            yield Station(row.position, row.name, lines)
    for slot, handset in snapshot.slots:
        lines = tuple(lines_at(snapshot, cipher, handset, layers)) if handset else ()
        code = slot.access_code_encrypted
        yield Station(
            slot.number,
            handset.name if handset else "",
            lines,
            ipui=slot.ipui or "",
            access_code=cipher.decrypt(code, PURPOSE_DECT) if code else "",
            model=slot.handset_model or "",
        )


def _dect(snapshot: Snapshot, cipher: Cipher) -> Dect | None:
    system = snapshot.system
    if system is None:
        return None
    members = tuple(
        Member(
            item.mac,
            manager=item.member.role == DectRole.MANAGER,
            name=item.device.name,
            position=item.member.position,
            cluster=item.member.cluster,
            sync_level=item.member.sync_level,
        )
        for item in snapshot.members
        if item.mac is not None
    )
    code = cipher.decrypt(system.access_code_encrypted, PURPOSE_DECT)
    return Dect(system.name, code, members)


def _year(settings: dict[str, Effective], now: datetime) -> int:
    return now.astimezone(zone_named(settings["time.zone"].value)).year


# --- settings


def _layers(snapshot: Snapshot, cipher: Cipher) -> Iterable[OwnedLayer]:
    for layer in package_layers(snapshot.organisation.package):
        yield OwnedLayer(snapshot.organisation.id, layer)
    yield from layers_of(snapshot, cipher, snapshot.settings)


def layers_of(
    snapshot: Snapshot, cipher: Cipher, rows: Iterable[SettingValue]
) -> Iterable[OwnedLayer]:
    """Stored values with their owners, whose names the snapshot knows as far as they are in it."""
    names = owner_names(snapshot)
    for row in rows:
        setting = BY_KEY.get(row.key)
        if setting is None:
            continue  # a key of another version
        origin = Origin(Level(row.level), names.get(row.owner_id, ""), row.set_by, row.set_at)
        yield OwnedLayer(
            row.owner_id, Layer(row.key, stored_value(row, cipher), origin, row.locked)
        )


def held_for(
    snapshot: Snapshot, cipher: Cipher, user: User | None, scope: Scope, *, anywhere: bool = False
) -> dict[str, Effective]:
    """What holds of a scope for a person at this device, or ``anywhere``, before any device's."""
    layers = concerning(list(_layers(snapshot, cipher)), user)
    if anywhere:
        layers = [layer for layer in layers if layer.origin.level in _ANYWHERE]
    return resolve(layers, scope=scope)


def owner_names(snapshot: Snapshot) -> dict[UUID, str]:
    """What the owners of values are called."""
    names = {
        snapshot.organisation.id: snapshot.organisation.name,
        snapshot.site.id: snapshot.site.name,
        snapshot.device.id: snapshot.device.name,
    }
    if snapshot.profile:
        names[snapshot.profile.id] = snapshot.profile.name
    return names | snapshot.roles | {user.id: user.name for user in snapshot.users.values()}


def stored_value(row: SettingValue, cipher: Cipher) -> Value:
    """A stored value in its inside form, decrypted where it is a secret."""
    if row.secret is not None:
        return cipher.decrypt(row.secret, PURPOSE_SETTING)
    value: Value = tuple(row.value) if isinstance(row.value, list) else row.value
    return value
