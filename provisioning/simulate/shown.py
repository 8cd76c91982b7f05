"""What a phone shows, read back from the parameters it got (``[[readback]]`` of vendor.toml)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from provisioning.vendors.load import Vendor
from provisioning.vendors.reading import Readback, ReadKeys, ReadLines, parameter
from provisioning.vendors.schema import Model

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One account: its number from 1, and what the phone does with it."""

    number: int
    user: str
    label: str = ""
    display: str = ""
    server: str = ""
    password: str = field(default="", repr=False)

    @property
    def can_register(self) -> bool:
        """Whether it has all that a registration takes."""
        return bool(self.user and self.server and self.password)


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One key: its place as in ``domain.keys``; several types where they share a code."""

    module: int
    position: int
    type: str
    value: str = ""
    label: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the phone shows. ``language`` is a language tag, else the vendor's own word."""

    lines: tuple[ShownLine, ...] = ()
    keys: tuple[ShownKey, ...] = ()
    language: str = ""
    idle_text: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the phone asks next time, and as whom."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


def shown(parameters: Parameters, vendor: Vendor, model: Model | None = None) -> Shown:
    """What a phone shows that was given these parameters, names in lower case."""
    rules = vendor.data.readback
    if rules is None:
        return Shown()
    held = without_empty(parameters, rules)
    words = (held.get(parameter(name), "") for name in rules.language)
    word = next(filter(None, words), "")
    return Shown(
        lines=tuple(
            line
            for read in rules.lines
            if all(vendor.trait(model, name) == value for name, value in read.only.items())
            for line in _lines(held, read)
        ),
        keys=tuple(sorted(_all_keys(held, vendor, model, rules), key=_place)),
        language="/".join(tag for tag, own in vendor.data.languages.items() if own == word) or word,
        idle_text=held.get(parameter(rules.idle_text), ""),
    )


def without_empty(parameters: Parameters, rules: Readback) -> dict[str, str]:
    """The parameters with the vendor's word for no value taken as none."""
    return {
        name: "" if rules.empty and value == rules.empty else value
        for name, value in parameters.items()
    }


def _place(key: ShownKey) -> tuple[int, int]:
    return key.module, key.position


def _text(held: Parameters, pattern: str, texts: Mapping[str, str], of: str, **at: int) -> str:
    """A parameter's value, or the part of it that counts."""
    value = held.get(parameter(pattern, **at), "") if pattern else ""
    return _part(value, texts.get(of))


def _part(value: str, expression: str | None) -> str:
    if expression is None:
        return value
    found = re.search(expression, value)
    return (found["value"] or "") if found else ""


def _lines(held: Parameters, read: ReadLines) -> Iterator[ShownLine]:
    for n in range(read.first, read.last + 1):
        user = _text(held, read.user, read.texts, "user", n=n)
        enabled = held.get(parameter(read.enabled, n=n)) if read.enabled else None
        if not user or (enabled is not None and enabled not in read.on):
            continue
        yield ShownLine(
            n,
            user,
            label=_text(held, read.label, read.texts, "label", n=n),
            display=_text(held, read.display, read.texts, "display", n=n),
            server=_server(held, read, n),
            password=_text(held, read.password, read.texts, "password", n=n),
        )


def _server(held: Parameters, read: ReadLines, n: int) -> str:
    index = held.get(parameter(read.index, n=n), "") if read.index else ""
    pattern = read.servers.get(index, read.server)
    place = int(index) if index.isdecimal() else 0
    return _text(held, pattern, read.texts, "server", n=n, i=place)


# --- keys


@dataclass
class _Keys:
    """One table of keys being read: how often each list has been referred to."""

    held: Parameters
    read: ReadKeys
    codes: Mapping[str, str]
    counts: dict[str, int] = field(default_factory=dict)

    def key(self, module: int, position: int, **at: int) -> ShownKey | None:
        """The key that stands at these numbers; None if there is none or it does nothing."""
        read, held = self.read, self.held
        if not any(parameter(pattern, **at) in held for pattern in read.type):
            return None
        line = _text(held, read.line, read.texts, "line", **at)
        code = self._joined(read.type, "type", at)
        code = read.code if code and read.code else code
        label = _text(held, read.label, read.texts, "label", **at)
        value = self._joined(read.value, "value", at)
        key = ShownKey(module, position, self._type(code, line), value, label, line)
        return self._useful(self._from_list(key, code, at))

    def _joined(self, patterns: Sequence[str], of: str, at: Mapping[str, int]) -> str:
        """The values of several parameters as one text, or the part of it that counts."""
        values = (self.held.get(parameter(pattern, **at), "") for pattern in patterns)
        return _part(" ".join(filter(None, values)), self.read.texts.get(of))

    def _type(self, code: str, line: str) -> str:
        if not code and line and self.read.otherwise:
            return self.read.otherwise
        types = [name for name, own in self.codes.items() if own == code]
        return "/".join(types) or code or "none"

    def _from_list(self, key: ShownKey, code: str, at: Mapping[str, int]) -> ShownKey:
        place = self.read.lists.get(code)
        if place is None:
            return key
        if place.index:
            index = self.held.get(parameter(place.index, **at), "")
            number = int(index) if index.isdecimal() else 0
        else:
            number = self.counts[code] = self.counts.get(code, 0) + 1
        return replace(
            key,
            value=_text(self.held, place.value, place.texts, "value", i=number),
            label=_text(self.held, place.label, place.texts, "label", i=number),
        )

    def _useful(self, key: ShownKey) -> ShownKey | None:
        """Codes that none shares with another type are none's where nothing else is set."""
        types = key.type.split("/")
        if "none" not in types:
            return key
        if len(types) == 1 or not (key.value or key.label):
            return None
        return replace(key, type="/".join(name for name in types if name != "none"))


def _all_keys(
    held: Parameters, vendor: Vendor, model: Model | None, rules: Readback
) -> Iterator[ShownKey]:
    found: dict[tuple[int, int], ShownKey] = {}
    for read in rules.keys:
        keys = _Keys(held, read, read.codes or vendor.data.key_types)
        for key in _table(keys, vendor, model):
            found.setdefault((key.module, key.position), key)
    yield from found.values()


def _table(keys: _Keys, vendor: Vendor, model: Model | None) -> Iterator[ShownKey]:
    read = keys.read
    modules = model.expansion.modules if model and model.expansion else 0
    if any("{m" in name for name in read.type):
        places = [
            (m, k, {"m": m, "k": k})
            for m in range(1, modules + 1)
            for k in range(read.first, read.last + 1)
        ]
    else:
        before = _number(vendor, model, read.after)
        places = [
            (*_counted(vendor, model, read, before + k), {"k": k})
            for k in range(read.first, read.last + 1)
        ]
    for module, position, at in places:
        key = keys.key(module, position, **at)
        if key is not None:
            yield key


def _counted(vendor: Vendor, model: Model | None, read: ReadKeys, position: int) -> tuple[int, int]:
    """Module and position of a key that is counted through the phone and its modules."""
    own = model.keys if model else None
    each = model.expansion.keys if model and model.expansion else None
    if not read.modules or own is None or position <= own or not each:
        return 0, position
    past = position - own - _number(vendor, model, read.gap) - 1
    return (past // each + 1, past % each + 1) if past >= 0 else (0, position)


def _number(vendor: Vendor, model: Model | None, trait: str) -> int:
    value = vendor.trait(model, trait) if trait else 0
    return value if isinstance(value, int) else 0
