"""A person as a PBX sees them: what holds for them, whom their calls go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from provisioning.crypto.secrets import Cipher
from provisioning.domain.effective import Layer, Origin, resolve
from provisioning.domain.keys import is_id
from provisioning.domain.packages import package_layers
from provisioning.domain.settings import BY_KEY, OF_THE_PHONE, Level, Scope, Value
from provisioning.store.catalogue import CategoryOption, CostCentre, Licence, Number
from provisioning.store.people import SipAccount, User
from provisioning.store.roster import Roster, Seat
from provisioning.usecases.phones import stored_value

MIXED = "mixed"
"""The way of keypad tones where a person's phones have different ones."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes; ``number`` is empty where nothing can be dialled."""

    kind: str
    number: str = ""
    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Targets that ring together for some seconds."""

    seconds: int
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A user with everything that holds for them; ``line`` is what their phones are set to.

    ``caller_id`` is their own or the organisation's; ``caller_ids`` are the others they may call
    out with. ``fallback`` None leaves it to the PBX.
    """

    user: User
    held: Mapping[str, Value]
    line: Mapping[str, Value]
    accounts: tuple[SipAccount, ...] = ()
    department: CategoryOption | None = None
    options: tuple[tuple[str, str], ...] = ()
    caller_id: Number | None = None
    caller_ids: tuple[Number, ...] = ()
    cost_centre: CostCentre | None = None
    licences: tuple[Licence, ...] = ()
    steps: tuple[Step, ...] = ()
    fallback: Target | None = None

    def may(self, right: str) -> bool:
        """Whether a right or a feature holds for them."""
        return bool(self.held[right])

    @property
    def has_mailbox(self) -> bool:
        """Whether messages can be left for them."""
        return self.may("feature.voicemail") and bool(self.user.extension)

    @property
    def mail_waits(self) -> bool:
        """Whether the e-mail of a message is sent only when its text is there (FEATURES E2)."""
        of_text = self.may("voicemail.summary") or self.may("voicemail.transcript")
        return self.may("voicemail.notify") and of_text


def persons(roster: Roster, cipher: Cipher) -> Iterator[Person]:
    """Everybody a roster is about."""
    accounts: dict[UUID, list[SipAccount]] = {}
    for account in roster.accounts:
        if account.user_id is not None:
            accounts.setdefault(account.user_id, []).append(account)
    for user in roster.chosen:
        yield _person(roster, cipher, user, accounts.get(user.id, []))


def _person(roster: Roster, cipher: Cipher, user: User, accounts: Iterable[SipAccount]) -> Person:
    layers = _layers(roster, cipher, {Level.ROLE: user.role_id, Level.USER: user.id})
    held = _values(layers, Scope.PERSON)
    of_phone = _values(layers, Scope.DEVICE)
    seats = [
        seat for station in roster.seated.get(user.id, ()) for seat in roster.seats.get(station, ())
    ]
    own = roster.numbers.get(user.caller_id_number_id) if user.caller_id_number_id else None
    several = roster.caller_ids.get(user.id, ()) if held["feature.several-caller-ids"] else ()
    return Person(
        user=user,
        held=held | {key: of_phone[key] for key in OF_THE_PHONE},
        line=line_values(roster, cipher, user, seats),
        accounts=tuple(accounts),
        department=roster.departments.get(user.id),
        options=tuple(roster.options.get(user.id, ())),
        caller_id=own or roster.default_number,
        caller_ids=tuple(several),
        cost_centre=roster.cost_centres.get(user.cost_centre_id) if user.cost_centre_id else None,
        licences=tuple(roster.licences.get(user.id, ())),
        steps=tuple(
            Step(step["seconds"], tuple(_target(roster, target) for target in step["targets"]))
            for step in user.steps
        ),
        fallback=_target(roster, user.fallback) if user.fallback else None,
    )


def _target(roster: Roster, target: Mapping[str, str]) -> Target:
    """A stored target with the number it has now."""
    kind, text = target["kind"], target.get("id", "")
    if not is_id(text):
        return Target(kind, target.get("number", ""))
    known = roster.targets.get(UUID(text))
    if known is not None:
        return Target(known.kind, known.number, known.name, text)
    return Target(kind, roster.extensions.get(UUID(text), ""), id=text)


# --- values


def _layers(roster: Roster, cipher: Cipher, owners: Mapping[Level, UUID | None]) -> list[Layer]:
    """What is set for the organisation and these owners."""
    organisation = roster.organisation
    found = package_layers(organisation.package)
    for level, owner in ({Level.ORGANISATION: organisation.id} | dict(owners)).items():
        rows = roster.settings.get(owner, ()) if owner is not None else ()
        found += [
            Layer(row.key, stored_value(row, cipher), Origin(level), row.locked)
            for row in rows
            if row.key in BY_KEY and row.level == level
        ]
    return found


def _values(layers: Iterable[Layer], scope: Scope) -> dict[str, Value]:
    return {key: held.value for key, held in resolve(layers, scope=scope).items()}


def line_values(
    roster: Roster, cipher: Cipher, user: User | None, seats: Iterable[Seat]
) -> dict[str, Value]:
    """What the lines of an account are set to at every phone it is on.

    A PBX knows an account once, however many phones it is on. Where these differ, every codec of
    any is allowed, encryption is optional, tones are mixed; all else is as without a phone.
    """
    personal: dict[Level, UUID | None] = (
        {Level.ROLE: user.role_id, Level.USER: user.id} if user is not None else {}
    )
    alone = _values(_layers(roster, cipher, personal), Scope.LINE)
    at_phones = [
        _values(
            _layers(
                roster,
                cipher,
                personal
                | {
                    Level.SITE: seat.site,
                    Level.PROFILE: seat.profile,
                    Level.DEVICE: seat.device,
                },
            ),
            Scope.LINE,
        )
        for seat in dict.fromkeys(seats)
    ]
    if not at_phones:
        return alone
    return {key: _agreed(key, [held[key] for held in at_phones], alone[key]) for key in alone}


def _agreed(key: str, values: list[Value], alone: Value) -> Value:
    if all(value == values[0] for value in values):
        return values[0]
    if key == "line.codecs":
        lists = [value for value in values if isinstance(value, tuple)]
        return tuple(dict.fromkeys(codec for codecs in lists for codec in codecs))
    return {"line.srtp": "optional", "line.dtmf": MIXED}.get(key, alone)
