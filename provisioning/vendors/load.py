"""Reading a vendor folder: TOML to dataclasses, with messages that say what to write."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from provisioning.domain.errors import BadVendorFolder
from provisioning.domain.keys import KeyType
from provisioning.domain.settings import BY_KEY
from provisioning.vendors import grammar
from provisioning.vendors.reading import pattern_fault
from provisioning.vendors.schema import (
    Example,
    FileRule,
    Model,
    Native,
    Screens,
    Trait,
    VendorData,
    ZoneForm,
    ZoneGrammar,
)

_ADAPTER = TypeAdapter(VendorData)
_AGENT_GROUPS = {"model", "fw", "fw2", "mac", "handsets"}


@dataclass(frozen=True)
class Vendor:
    """A loaded vendor: its data and the folders its templates are looked up in, first wins.

    ``roots`` are those folders' own, where ``_shared`` stands, and an operator's that has nothing
    else of this vendor.
    """

    data: VendorData
    folders: tuple[Path, ...]
    agents: tuple[re.Pattern[str], ...]
    by_name: dict[str, Model]
    roots: tuple[Path, ...] = ()

    @property
    def id(self) -> str:
        """The dialect id, which is the folder's name."""
        return self.data.id

    def model(self, name: str) -> Model | None:
        """The model of that id or name; case, blanks, dashes and underscores do not count."""
        return self.by_name.get(plain(name))

    def trait(self, model: Model | None, name: str) -> Trait | None:
        """A model's trait, else the vendor's default for it."""
        if model is not None and name in model.traits:
            return model.traits[name]
        return self.data.traits.get(name)

    def rules_for(self, model: Model | None, firmware: str = "") -> Iterator[FileRule]:
        """The file rules that apply to a model and its firmware.

        An unknown model has the vendor's default traits, unknown firmware counts as current.
        """
        for rule in self.data.files:
            traits = all(self.trait(model, name) == value for name, value in rule.only.items())
            if traits and _takes(rule, firmware):
                yield rule

    def zone_grammar(self, model: Model | None) -> ZoneGrammar | None:
        """What a model can be told of a time zone; nothing where it has none in its files."""
        for zone in self.data.zones:
            if all(self.trait(model, name) == value for name, value in zone.only.items()):
                return zone
        return None

    def screens(self, model: Model | None) -> Screens | None:
        """What a model shows behind its screen URL; nothing where it has no such screens."""
        for screens in self.data.screens:
            if all(self.trait(model, name) == value for name, value in screens.only.items()):
                return None if screens.none else screens
        return None

    def native(self, model: Model | None, firmware: str = "") -> Native | None:
        """The log-in of a model's own; nothing where it has none, or not with this firmware."""
        native, found = self.data.native, version(firmware)
        if native is None or (found and found < version(native.firmware_from or "")):
            return None
        fits = all(self.trait(model, name) == value for name, value in native.only.items())
        return native if fits else None

    def template(self, name: str) -> Path | None:
        """Where a file of this folder stands, an operator's own before the shipped one."""
        return next((path for f in self.folders if (path := f / name).is_file()), None)


def plain(name: str) -> str:
    """A model's name without what phones spell differently."""
    return re.sub(r"[\s_-]+", "", name).lower()


def version(text: str) -> tuple[int, ...]:
    """The numbers of a firmware version, for comparing; empty where it has none."""
    return tuple(int(number) for number in re.findall(r"[0-9]{1,9}", text))


def _takes(rule: FileRule, firmware: str) -> bool:
    found = version(firmware)
    if not found:
        return rule.firmware_below is None
    return (rule.firmware_from is None or found >= version(rule.firmware_from)) and (
        rule.firmware_below is None or found < version(rule.firmware_below)
    )


def load_vendor(folders: Sequence[Path], roots: Sequence[Path] = ()) -> Vendor:
    """Read one vendor from its folders, the first of which override the later ones.

    ``_shared`` is looked up in the roots, then beside the folders.

    Raises BadVendorFolder with every fault found, one a line.
    """
    path = next(folder / "vendor.toml" for folder in folders if (folder / "vendor.toml").is_file())
    data = _parse(path)
    by_name: dict[str, Model] = {}
    faults = list(_faults(data, folders, by_name))
    if faults:
        raise BadVendorFolder("\n".join(f"{path}: {fault}" for fault in faults), field=data.id)
    agents = tuple(re.compile(agent.pattern) for agent in data.user_agents)
    every_root = dict.fromkeys((*roots, *(folder.parent for folder in folders)))
    return Vendor(data, tuple(folders), agents, by_name, tuple(every_root))


def _parse(path: Path) -> VendorData:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        data = _ADAPTER.validate_python(raw)
    except tomllib.TOMLDecodeError as error:
        raise BadVendorFolder(
            f"{path}: not TOML: {error}.", remedy="Mend the line named.", field=path.parent.name
        ) from None
    except UnicodeDecodeError:
        raise BadVendorFolder(
            f"{path}: not UTF-8 text.", remedy="Save it as UTF-8.", field=path.parent.name
        ) from None
    except ValidationError as error:
        lines = [f"{path}: {_sentence(item)}" for item in error.errors()]
        raise BadVendorFolder("\n".join(lines), field=path.parent.name) from None
    if data.id != path.parent.name:
        raise BadVendorFolder(
            f"{path}: id is '{data.id}' but the folder is '{path.parent.name}'.",
            remedy=f'Write id = "{path.parent.name}".',
            field=path.parent.name,
        )
    return data


def _sentence(item: object) -> str:
    assert isinstance(item, dict)  # noqa: S101 - pydantic's TypedDict
    where = ".".join(str(part) for part in item["loc"]) or "the file"
    kind = item["type"]
    if kind == "unexpected_keyword_argument":
        return f"'{where}' is not a key of the schema; remove it or see docs/vendors.md."
    if kind == "missing":
        return f"'{where}' is missing; write it."
    if kind in ("enum", "literal_error"):
        return f"'{where}' is {item['input']!r}; write one of {item['ctx']['expected']}."
    return f"'{where}' is {item['input']!r}; {str(item['msg'])[:1].lower()}{item['msg'][1:]}."


def _faults(data: VendorData, folders: Sequence[Path], by_name: dict[str, Model]) -> Iterator[str]:
    yield from _model_faults(data, by_name)
    yield from _file_faults(data, folders)
    yield from _name_faults(data)
    yield from _agent_faults(data)
    yield from _readback_faults(data)
    yield from _zone_faults(data)
    yield from _screen_faults(data, folders)
    yield from _reload_faults(data)
    yield from _native_faults(data.native, data, folders)
    for oui in data.ouis:
        if not re.fullmatch(r"[0-9a-f]{6}([0-9a-f]{1,3})?", oui):
            yield f"OUI '{oui}' must be 6 to 9 lower-case hex digits."
    for word in data.key_types:
        if word not in set(KeyType):
            yield f"key_types.{word} is no key type; write one of {', '.join(KeyType)}."
    for word in data.cannot:
        if word not in BY_KEY and word not in set(KeyType):
            yield f"cannot: '{word}' is no setting and no type of key; mend the name."
        if word in data.key_types:
            yield f"cannot: '{word}' is in key_types; take it from one."


def _model_faults(data: VendorData, by_name: dict[str, Model]) -> Iterator[str]:
    for model in data.models:
        for name in {plain(model.id), plain(model.in_files), *map(plain, model.names)}:
            if name in by_name:
                yield f"model '{model.id}': the name '{name}' is also of '{by_name[name].id}'; take it from one."
            by_name[name] = model
        for trait in model.traits:
            if trait not in data.traits:
                yield f"model '{model.id}': trait '{trait}' has no default; add it to [traits]."


def _file_faults(data: VendorData, folders: Sequence[Path]) -> Iterator[str]:
    for rule in data.files:
        if not any((folder / rule.template).is_file() for folder in folders):
            yield f"file '{rule.id}': template '{rule.template}' is not in the folder; write it or mend the name."
        for trait in rule.only:
            if trait not in data.traits:
                yield f"file '{rule.id}': only.{trait} has no default; add it to [traits]."
        if grammar.needs(rule.pattern, "mac") and not rule.secret:
            yield f"file '{rule.id}': a name with a MAC must be secret, or it tells who exists."
    if data.files and not any(rule.session for rule in data.files):
        yield "no file has session = true; mark the one that holds what a login changes."


def _name_faults(data: VendorData) -> Iterator[str]:
    known = {rule.id for rule in data.files} | set(data.asks)
    for pattern in (*(rule.pattern for rule in data.files), *data.asks):
        try:
            grammar.compile_pattern(pattern)
        except (grammar.BadPattern, re.error, OverflowError):
            yield f"'{pattern}' is no file name pattern; see docs/vendors.md."
    yield from _boot_faults(data, known)


def _boot_faults(data: VendorData, known: set[str]) -> Iterator[str]:
    before: set[str] = set()
    for step in data.steps:
        if step.name not in known:
            yield f"boot: '{step.name}' is neither a file's id nor among asks; add it to one."
        for name in filter(None, (step.unless, step.needs)):
            if name not in before:
                yield f"boot: '{step.name}' depends on '{name}', which is no earlier step; mend the name."
        before.add(step.name)


def _zone_faults(data: VendorData) -> Iterator[str]:
    for number, zone in enumerate(data.zones, 1):
        where = f"zones entry {number}"
        for trait in zone.only:
            if trait not in data.traits:
                yield f"{where}: only.{trait} has no default; add it to [traits]."
        if zone.form is ZoneForm.CODES and not data.timezones:
            yield f"{where}: form 'codes' needs words; write them in [timezones]."
        if zone.fallback and zone.form is not ZoneForm.CODES:
            yield f"{where}: fallback is for the form 'codes'; remove it."
        for minutes in zone.offsets:
            if not -720 <= minutes <= 840:
                yield f"{where}: offset {minutes} is none in minutes; write -720 to 840."
        for minutes in zone.savings:
            if minutes <= 0:
                yield f"{where}: saving {minutes} must be above 0; mend it."


def _screen_faults(data: VendorData, folders: Sequence[Path]) -> Iterator[str]:
    for number, screens in enumerate(data.screens, 1):
        where = f"screens entry {number}"
        for trait in screens.only:
            if trait not in data.traits:
                yield f"{where}: only.{trait} has no default; add it to [traits]."
        templates = (screens.form, screens.message, screens.status)
        if bool(screens.none) == any(templates):
            yield f"{where}: write form, message and status, or say in none why there are no screens."
        for template in () if screens.none else templates:
            if not any((folder / template).is_file() for folder in folders):
                yield f"{where}: template '{template}' is not in the folder; write it or mend the name."


def _reload_faults(data: VendorData) -> Iterator[str]:
    http = data.reload.http
    if http and http.opens_screen and not any(screens.reloads for screens in data.screens):
        yield "reload.http: {screen} needs a screens entry that reloads; set it, or ask otherwise."


def _native_faults(
    native: Native | None, data: VendorData, folders: Sequence[Path]
) -> Iterator[str]:
    if native is None:
        return
    for trait in native.only:
        if trait not in data.traits:
            yield f"native: only.{trait} has no default; add it to [traits]."
    for name in (native.file, native.uploads):
        if name.count("{user}") != 1:
            yield f"native: '{name}' must hold {{user}} once; mend the name."
    if not any((folder / native.template).is_file() for folder in folders):
        yield f"native: template '{native.template}' is not in the folder; write it or mend the name."


def _readback_faults(data: VendorData) -> Iterator[str]:
    if data.readback is None:
        return
    for lines in data.readback.lines:
        yield from _pattern_faults((lines.user, lines.password, lines.server), lines.texts)
        yield from _pattern_faults((lines.label, lines.display, lines.enabled, lines.index), {})
        yield from _pattern_faults(lines.servers.values(), {})
        yield from _trait_faults(data, lines.only)
    for keys in data.readback.keys:
        yield from _pattern_faults((*keys.type, *keys.value, keys.label, keys.line), keys.texts)
        for item in keys.lists.values():
            yield from _pattern_faults((item.index, item.value, item.label), item.texts)
        yield from _trait_faults(data, filter(None, (keys.after, keys.gap)))
        for word in filter(None, (*keys.codes, keys.otherwise)):
            if word not in set(KeyType):
                yield f"readback: '{word}' is no key type; write one of {', '.join(KeyType)}."


def _trait_faults(data: VendorData, traits: Iterable[str]) -> Iterator[str]:
    for trait in traits:
        if trait not in data.traits:
            yield f"readback: trait '{trait}' has no default; add it to [traits]."


def _pattern_faults(patterns: Iterable[str], texts: Mapping[str, str]) -> Iterator[str]:
    for fault in map(pattern_fault, patterns):
        if fault:
            yield f"readback: {fault}"
    for name, text in texts.items():
        try:
            groups = set(re.compile(text).groupindex)
        except (re.error, OverflowError, RecursionError) as error:
            yield f"readback: texts.{name} '{text[:60]}': {error}; mend the expression."
            continue
        if groups != {"value"}:
            yield f"readback: texts.{name} needs the group 'value' and no other."


def _agent_faults(data: VendorData) -> Iterator[str]:
    for agent in data.user_agents:
        try:
            pattern = re.compile(agent.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            yield f"user agent pattern '{agent.pattern[:60]}': {error}; mend the expression."
            continue
        extra = set(pattern.groupindex) - _AGENT_GROUPS
        if extra:
            yield f"user agent groups {sorted(extra)}; only model, fw, fw2, mac and handsets are read."
        for example in agent.examples:
            yield from _example_faults(pattern, example)


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _example_faults(pattern: re.Pattern[str], example: Example) -> Iterator[str]:
    found = pattern.search(example.text)
    if found is None:
        yield f"user agent example '{example.text}' does not match its pattern; mend one of them."
        return
    groups = found.groupdict()
    firmware = groups.get("fw") or groups.get("fw2")
    mac = re.sub("[^0-9a-f]", "", (groups.get("mac") or "").lower()) or None
    for what, got, wanted in (
        ("model", groups.get("model"), example.model),
        ("firmware", firmware, example.firmware),
        ("mac", mac, example.mac),
        ("handsets", _number(groups.get("handsets")), example.handsets),
    ):
        if got != wanted:
            yield f"user agent example '{example.text}': {what} is {got!r}, not {wanted!r}; mend one."
