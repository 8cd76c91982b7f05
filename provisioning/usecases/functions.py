"""Keys that a person's features and rights make, and those they take away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from provisioning.domain.effective import Effective, Origin
from provisioning.domain.keys import PEOPLE_SETS, TARGET, Area, Key, KeyAddress, KeyType, is_id
from provisioning.domain.kinds import TargetKind
from provisioning.domain.settings import Level
from provisioning.store.catalogue import CallTarget, CostCentre, Number
from provisioning.store.people import User

_SOMEWHERE = KeyAddress(Area.LINE, 0, 1)

NEEDED = {
    KeyType.PICKUP: ("right.calls", "right.pickup"),
    KeyType.GROUP_PICKUP: ("right.calls", "right.pickup"),
    KeyType.PARK: ("right.park",),
    KeyType.RETRIEVE: ("right.park",),
    KeyType.PARK_SLOTS: ("right.park",),
    KeyType.RECORD: ("right.record",),
    KeyType.VOICEMAIL: ("feature.voicemail",),
    KeyType.DND: ("right.incoming",),
    KeyType.FORWARD: ("right.incoming",),
    KeyType.LOGIN: ("feature.hotdesking",),
} | dict.fromkeys(PEOPLE_SETS, ("right.presence",))
"""What a person needs for a key of that type to be there (FEATURES B14, C4, D2 to D6, G1)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the keys of a phone are for: their settings, and what the organisation gave them.

    ``codes`` are the feature codes of the server their first account is on; ``targets`` are the
    call targets of the organisation.
    """

    user: User
    held: Mapping[str, Effective]
    codes: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[Number, ...] = ()
    cost_centre: CostCentre | None = None
    targets: Mapping[UUID, CallTarget] = field(default_factory=dict)

    def may(self, right: str) -> bool:
        """Whether a right or a feature holds for them."""
        return bool(self.held[right].value)

    def may_have(self, type_: KeyType) -> bool:
        """Whether all holds for them that a key of a type takes."""
        return all(self.may(needed) for needed in NEEDED.get(type_, ()))

    def deciding(self, key: str) -> Effective:
        """What holds for them of a setting, or of what an admin gave them that is none."""
        origin = Origin(Level.USER, self.user.name)
        return self.held.get(key) or Effective(key, value=True, origin=origin)

    @property
    def records(self) -> bool:
        """Whether they start and stop recording by a key (FEATURES B11, D6)."""
        on_demand = self.held["call.recording"].value == "on-demand"
        return on_demand and self.may_have(KeyType.RECORD)


def refused(key: Key, people: Sequence[Person]) -> Person | None:
    """Who of the people of a phone may not have a key; None where all may, or nobody is there.

    What it does is done for the whole phone, so that the strictest holds.
    """
    return next((person for person in people if not _permitted(key, person)), None)


def _permitted(key: Key, person: Person) -> bool:
    if key.type is KeyType.RECORD and not person.records:
        return False
    if key.type is KeyType.FORWARD and person.user.steps:
        return False  # where calls go next is said in the steps (FEATURES E3)
    target = _target(key, person.targets)
    if target is not None and target.kind == TargetKind.VOICE_APP and not person.may("right.ivr"):
        return False
    return person.may_have(key.type)


def right_missing_for(key: Key, held: Mapping[str, Effective]) -> str:
    """The right or feature a key takes that does not hold; empty where nothing is missing."""
    return next((needed for needed in NEEDED.get(key.type, ()) if not held[needed].value), "")


def aimed(key: Key, targets: Mapping[UUID, CallTarget]) -> Key | None:
    """The key with the number of the call target it points to; None if that has none (E4)."""
    if not key.value.startswith(TARGET):
        return key
    target = _target(key, targets)
    if target is None or not target.number:
        return None
    return replace(key, value=target.number, label=key.label or target.name)


def _target(key: Key, targets: Mapping[UUID, CallTarget]) -> CallTarget | None:
    text = key.value.removeprefix(TARGET)
    return targets.get(UUID(text)) if text != key.value and is_id(text) else None


def function_keys(person: Person, present: Iterable[Key]) -> Iterator[Key]:
    """A key for each function they have and want one for, unless it is there already."""
    known = {(key.type, key.value) for key in present}
    types = {key.type for key in present}
    for function in person.held["keys.functions"].value:  # type: ignore[union-attr]  # a LIST
        make, deciding = _MADE[str(function)]
        because = tuple(person.deciding(key) for key in ("keys.functions", *deciding))
        for key in make(person):
            if (key.type, key.value) not in known and (key.value or key.type not in types):
                yield replace(key, because=because)


def _key(type_: KeyType, value: str = "", label: str = "") -> Key:
    return Key(_SOMEWHERE, type_, value, label)


def _record(person: Person) -> Iterator[Key]:
    if person.records:
        yield _key(KeyType.RECORD)


def _anonymous(person: Person) -> Iterator[Key]:
    if "anonymous" in person.codes and person.may("right.outgoing"):
        yield _key(KeyType.SPEED_DIAL, person.codes["anonymous"], "Anonymous")


def _account_code(person: Person) -> Iterator[Key]:
    if person.cost_centre is not None and person.cost_centre.code:
        yield _key(KeyType.PREFIX, person.cost_centre.code, person.cost_centre.name)


def _callback(person: Person) -> Iterator[Key]:
    number = str(person.held["call.callback-number"].value)
    if person.held["call.method"].value == "callback" and number:
        yield _key(KeyType.SPEED_DIAL, number, "Callback")


def _caller_ids(person: Person) -> Iterator[Key]:
    code = person.codes.get("caller-id")
    if code is None or not person.may("feature.several-caller-ids"):
        return
    for number in person.numbers:
        digits = number.number.removeprefix("+")
        yield _key(KeyType.PREFIX, code + digits, number.label or number.number)


def _operates(name: str) -> tuple[str, ...]:
    return ("feature.operator-console", f"right.{name}")


def _operator(name: str, label: str, person: Person) -> Iterator[Key]:
    if name in person.codes and all(person.may(needed) for needed in _operates(name)):
        yield _key(KeyType.PREFIX, person.codes[name], label)


def _shared_voicemail(person: Person) -> Iterator[Key]:
    fallback = person.user.fallback
    if fallback.get("kind") != TargetKind.SHARED_VOICEMAIL or not is_id(fallback.get("id", "")):
        return
    target = person.targets.get(UUID(fallback["id"]))
    if target is not None and target.number:
        yield _key(KeyType.VOICEMAIL, target.number, target.name)


def _coded(type_: KeyType, code: str, person: Person) -> Iterator[Key]:
    if code in person.codes and person.may_have(type_):
        yield _key(type_)


_Make = Callable[[Person], Iterator[Key]]

_MADE: dict[str, tuple[_Make, tuple[str, ...]]] = {
    "record": (_record, ("call.recording", *NEEDED[KeyType.RECORD])),
    "anonymous": (_anonymous, ("right.outgoing",)),
    "account-code": (_account_code, ("cost-centre",)),
    "callback": (_callback, ("call.method", "call.callback-number")),
    "caller-ids": (_caller_ids, ("feature.several-caller-ids", "caller-ids")),
    "barge": (partial(_operator, "barge", "Barge in"), _operates("barge")),
    "listen": (partial(_operator, "listen", "Listen"), _operates("listen")),
    "whisper": (partial(_operator, "whisper", "Whisper"), _operates("whisper")),
    "shared-voicemail": (_shared_voicemail, ("fallback",)),
    "voicemail": (partial(_coded, KeyType.VOICEMAIL, "voicemail"), NEEDED[KeyType.VOICEMAIL]),
    "pickup": (partial(_coded, KeyType.PICKUP, "pickup"), NEEDED[KeyType.PICKUP]),
}
"""What makes the keys of each function, and what decides whether it has any: settings, or what
an admin gave the person.

FEATURES A10, B8, B9, B11, B14, C3, D3, D5, E5.
"""
