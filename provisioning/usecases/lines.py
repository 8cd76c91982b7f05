"""The lines of a phone: who has which station, their accounts in order, what they may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from provisioning.crypto.secrets import Cipher
from provisioning.domain.effective import RIGHTS_ON_PHONES, Effective, Layer, resolve
from provisioning.domain.keys import KeyType, is_id
from provisioning.domain.kinds import Appearance, Incoming, TargetKind
from provisioning.domain.phone import Line, Server
from provisioning.domain.settings import Level, Scope
from provisioning.render.explain import Word
from provisioning.store.devices import Station
from provisioning.store.people import SipAccount, SipServer, User
from provisioning.store.snapshots import Snapshot
from provisioning.usecases.functions import NEEDED
from provisioning.usecases.purposes import PURPOSE_SIP


@dataclass(frozen=True, slots=True)
class OwnedLayer:
    """A set value and the id of the organisation, place, device, role or user it belongs to."""

    owner: UUID
    layer: Layer


def concerning(layers: Sequence[OwnedLayer], user: User | None) -> list[Layer]:
    """The layers that hold for a device, and those of one person on it with their role."""
    personal = {
        Level.USER: user.id if user else None,
        Level.ROLE: user.role_id if user else None,
    }
    return [
        item.layer
        for item in layers
        if item.layer.origin.level not in personal
        or item.owner == personal[item.layer.origin.level]
    ]


def people_at(snapshot: Snapshot, station: UUID) -> list[tuple[User, bool]]:
    """Whose lines a station has, in order, and whether they are shared.

    Nobody's who is disabled, and of whoever's calls follow where they log in only there (B13).
    Somebody who is logged in has all lines, in place of those it is assigned to.
    """
    seated = snapshot.seated.get(station)
    if seated is not None and snapshot.users[seated].enabled:
        return [(snapshot.users[seated], False)]
    rows = [row for row in snapshot.assignments if row.station_id == station]
    return [
        (snapshot.users[row.user_id], row.appearance == Appearance.SHARED)
        for row in sorted(rows, key=lambda row: row.position)
        if _rings_here(snapshot.users[row.user_id])
    ]


def _rings_here(user: User) -> bool:
    return user.enabled and user.incoming == Incoming.FIXED


def person(layers: Sequence[OwnedLayer], user: User) -> dict[str, Effective]:
    """What holds of the settings that are about a person, their rights on the phone too."""
    own = concerning(layers, user)
    on_the_phone = resolve(own, scope=Scope.DEVICE)
    rights = {key: held for key, held in on_the_phone.items() if key in RIGHTS_ON_PHONES}
    return resolve(own, scope=Scope.PERSON) | rights


def lines_at(
    snapshot: Snapshot, cipher: Cipher, station: Station, layers: Sequence[OwnedLayer]
) -> Iterable[Line]:
    """The lines of a station: of its people, or the station's own account while it has none.

    Beside somebody who is logged in the account of a phone stays as the last line, to be told to
    reload by and to call for help with; a handset's or a port's has no number left to have. Nor
    does it stay where the phone's own log-in holds them: that it registers again is how the phone
    tells that they left.
    """
    people = people_at(snapshot, station.id)
    for user, shared in people:
        held = person(layers, user)
        settings = _of_features(resolve(concerning(layers, user), scope=Scope.LINE), held)
        settings |= {key: held[key] for key in RIGHTS_ON_PHONES}
        accounts = [row for row in snapshot.accounts if row.user_id == user.id]
        for account in _called_out_by(accounts, held):
            line = _line(snapshot, cipher, account, settings, user=user, shared=shared)
            yield replace(
                line,
                server=_permitted(line.server, held),
                steps=bool(user.steps),
                mailbox=shared_mailbox(snapshot, user),
                barred=barred(settings, held),
            )
    single = snapshot.system is None and len(snapshot.stations) == 1
    stays = single and station.id in snapshot.seated and station.id not in snapshot.native
    if people and not stays:
        return
    own = [account for account in snapshot.accounts if account.station_id == station.id]
    # A spare line is set as the person's: many phones have one setting for all of their lines.
    if not people:
        settings = resolve(concerning(layers, None), scope=Scope.LINE)
    for account in own:
        line = _line(snapshot, cipher, account, settings, user=None, shared=False)
        yield _of_place(line, layers, spare=bool(people)) if people or station.pool else line


def _of_place(line: Line, layers: Sequence[OwnedLayer], *, spare: bool) -> Line:
    """The line of a phone for whoever comes: barred but for help and what the place lets guests call."""
    numbers: Any = resolve(concerning(layers, None), scope=Scope.RULE)["guest.numbers"].value
    barred = replace(line.settings["line.outgoing"], value="disabled")
    return replace(
        line,
        settings={**line.settings, barred.key: barred},
        of_place=True,
        spare=spare,
        allowed=tuple(numbers),
    )


def _of_features(
    settings: dict[str, Effective], held: Mapping[str, Effective]
) -> dict[str, Effective]:
    """The line's settings, where a feature of the person decides them (FEATURES C7)."""
    busy = held["feature.busy-reject"]
    if not busy.value:
        return settings
    waiting = Effective("line.call-waiting", value=False, origin=busy.origin, locked=busy.locked)
    return settings | {waiting.key: waiting}


def barred(settings: Mapping[str, Effective], held: Mapping[str, Effective]) -> Effective | None:
    """The idle text of somebody whose outgoing calls are disabled (FEATURES C2)."""
    outgoing = settings["line.outgoing"]
    if outgoing.value != "disabled":
        return None
    text = str(held["idle.barred-text"].value)
    return Effective("idle.text", text, outgoing.origin, outgoing.locked)


def shared_mailbox(snapshot: Snapshot, user: User) -> str:
    """The number of the shared mailbox a person's calls fall back to; empty for none."""
    fallback = user.fallback
    if fallback.get("kind") != TargetKind.SHARED_VOICEMAIL or not is_id(fallback.get("id", "")):
        return ""
    target = snapshot.targets.get(UUID(fallback["id"]))
    return (target.number or "") if target is not None else ""


def _called_out_by(
    accounts: list[SipAccount], held: Mapping[str, Effective]
) -> Sequence[SipAccount]:
    """The accounts with the one first that outgoing calls are made by (FEATURES C3)."""
    chosen = int(str(held["call.account"].value)) - 1
    if held["call.method"].value != "other-account" or chosen >= len(accounts):
        return accounts
    return [accounts[chosen], *accounts[:chosen], *accounts[chosen + 1 :]]


_CODES = {
    "voicemail": KeyType.VOICEMAIL,
    "pickup": KeyType.PICKUP,
    "park": KeyType.PARK,
    "retrieve": KeyType.RETRIEVE,
    "record": KeyType.RECORD,
    "hotdesk": KeyType.LOGIN,
}
"""The key that does what a feature code of a server does: whoever may not have it is not told the
code (FEATURES B14, D3, D4)."""


def _permitted(server: Server, held: Mapping[str, Effective]) -> Server:
    codes = {}
    for name, code in server.codes.items():
        needed = [held[key] for key in NEEDED[_CODES[name]]] if name in _CODES else []
        if all(item.value for item in needed):
            codes[name] = Word.of(code, *needed)
    return replace(server, codes=codes)


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
        caller_id=snapshot.caller_ids.get(user.id, "") if user else "",
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
