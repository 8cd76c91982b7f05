"""What a template sees: plain dictionaries, lists, texts and numbers, nothing else.

The names here are the contract with every template; docs/templates.md lists them from the
docstring of ``build``.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfoNotFoundError

from provisioning.domain import facts
from provisioning.domain.effective import Effective
from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.phone import Phone
from provisioning.domain.timezones import Change, ZoneRule, zone_rule
from provisioning.render import stations
from provisioning.render.explain import Recorded, RecordedBy, Word, Words
from provisioning.render.layout import fitting, layout
from provisioning.render.login import (
    NATIVE,
    label,
    login_key,
    native_key,
    screen_url,
    users_url,
)
from provisioning.vendors import grammar, zones
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model

Context = dict[str, Any]
Placed = dict[KeyAddress, Key]

_FALLBACK_LANGUAGE = "en"
_NO_CHANGE = Change(month=1, week=1, weekday=1, hour=0, minute=0, day=1)


def build(phone: Phone, vendor: Vendor, model: Model | None) -> Context:
    """The context of every file of a phone.

    - ``phone``: mac, MAC (upper), name, model, firmware, organisation, site, location (where an
      emergency call says it comes from), emergency_caller_id (the number emergency calls of the
      site go out with, or empty), guest, blank, pool, forwards (whether calls may be
      forwarded on the phone itself), hides_calls (whether somebody on its keys is watched whose
      calls others may not see), admin_password, user_password, poll_hour and poll_minute (a time of day derived from the
      MAC, so that phones do not all ask at once)
    - ``model``: id, lines, keys, modules, module_keys (numbers; where unknown, the most any model
      of the vendor has), colour (whether its screen is known to have colours), cannot (list), and the traits by their names
    - ``settings``: device settings by name (``ntp_server_1``)
    - ``lines``: n, user_name, auth_name, password, display_name, label, extension, voicemail,
      shared, caller_id (the number calls go out with, empty where the PBX says), idle (the text
      on the screen of somebody who may not call out, else empty), forwards (as of the phone),
      mailbox (the number of a shared one), server (registrar, port, transport, outbound_proxy, outbound_port, backup,
      backup_port, codes), settings (``line_codecs``, and whether the line's person has the
      ``right_incoming``, ``right_outgoing`` and ``right_cover``),
      station (the slot or port a line belongs to), profile (the number of its profile), bar
      (numbers: those that can be dialled where outgoing calls are disabled; digits: those without
      a plus, never none), spare (whether it is the phone's own account beside a person's lines)
    - ``profiles``: the different servers, each with the line settings it is used with: n, server,
      settings, bar
    - ``unused``: the numbers of the lines that have no account, up to the model's most
    - ``accounts``: for each number up to the model's most the line that has it, else one like it
      that is nobody's: no texts, its settings as built in. Written in their place, they make the
      parameters of a file the same whoever has the phone, so that nothing of the last one stays
    - ``nobody``: one such line, for what is written once for several
    - ``stations``: the slots of a base or ports of an adapter in order, the empty ones too: n,
      name, ipui, access_code, model, lines; empty for a phone that is its own station
    - ``dect``: null, or name, access_code, multicell, manager (whether this device is the one
      others follow), members (mac, MAC, name, manager, position, cluster, sync_level, self)
    - ``phonebook``: url and name of the remote phone book; the url is empty if there is none
    - ``directory``: in a phone book's own file: search, page, pages, first, total, contacts (name, first_name,
      last_name, department, picture_url, numbers (kind, number))
    - ``keys``: every line key of the phone in order, ``expansion`` likewise a list per module:
      n, type, value, label, line, code (the vendor's key type)
    - ``zone``: name, offset, saving (the nearest in minutes that the phone knows), start, end,
      posix, compact, code, irregular (start and end have month, week, weekday (Monday 1),
      sunday_weekday (Sunday 0), hour, minute, day; both are null where there is no saving),
      written_start, written_end, written_saving (the same, but the start of the year and an hour
      where there is none: a rule that is not written would stay as it was)
    - ``language``, ``tone``: the vendor's word, or empty where it has none
    - ``idle``: the text that stands on the idle screen instead of a name: of a phone nobody has,
      or that all its lines may not call out; else empty
    - ``provisioning``: url, scheme, hostpath, user, password, ca_url, ca_pem, screens (where the
      phone tells its events: ``event/dnd-on`` and ``event/dnd-off`` behind it; empty if it cannot)
    - ``look``: wallpaper_url and its file name wallpaper, logo_url (the organisation's avatar);
      empty where there is none. A picture's URL ends in ``.jpg``; ending in ``.png`` it gives a PNG.
      photos_url: where phones find people's photos by number (``/1001.png`` behind it)
    - ``hotdesk``: url of the screen where people log in and out, and its label, for menus and soft
      keys; both empty where the phone takes no logins or shows no screens. For the phone's own
      log-in: has_own (whether it has one), users_url (the folder of people's files; empty where it
      is not to be used), key (the vendor's type of the key that begins it, or empty)
    - ``files``: the names of the phone's files by the id of their rule
    - ``md5``: the MD5 of each of them by the same id, for phones that want it beside a file
    - ``adopt``: a list of (name, value); empty when there is nowhere to move the phone to
    """
    most = Most(vendor, model)
    modules = min(phone.expansion_modules, most.modules)
    found, _ = most.layout(phone)
    placed = {address: fitting(key, vendor, model) for address, key in found.items()}
    lines = [stations.line_context(phone, *item) for item in stations.numbered(phone, most.lines)]
    profiles = stations.profile_contexts(lines)
    used = {line["n"] for line in lines}
    return {
        "phone": _phone(phone, model),
        "model": most.context(phone),
        "settings": Recorded(phone.settings),
        "lines": lines,
        "profiles": profiles,
        "unused": [n for n in range(1, most.lines + 1) if n not in used],
        "accounts": stations.account_contexts(phone, lines, most.lines),
        "nobody": stations.nobodys_context(phone),
        "stations": stations.station_contexts(phone, lines),
        "dect": stations.dect_context(phone),
        "directory": stations.directory_context(phone),
        "phonebook": _phonebook(phone, vendor),
        "keys": _keys(vendor, placed, 0, most.keys),
        "expansion": [
            {"m": module, "keys": _keys(vendor, placed, module, most.module_keys)}
            for module in range(1, modules + 1)
        ],
        "zone": _zone(phone, vendor, model),
        "language": _language(phone, vendor),
        "tone": _tone(phone, vendor),
        "idle": _idle(phone),
        "provisioning": _provisioning(phone),
        "look": _look(phone),
        "hotdesk": _hotdesk(phone, vendor, model),
        "adopt": _adopt(phone, vendor),
    }


class Most:
    """How much of a thing a model has; where nobody knows, the most any of its vendor has.

    Overwriting too many lines does no harm, leaving one out keeps the last user's.
    """

    def __init__(self, vendor: Vendor, model: Model | None) -> None:
        models = vendor.data.models
        self._model = model
        self._vendor = vendor
        self.lines = _known(model.lines if model else None, [m.lines for m in models])
        self.keys = _known(model.keys if model else None, [m.keys for m in models])
        expansion = model.expansion if model else None
        all_expansions = [m.expansion for m in models if m.expansion]
        self.modules = expansion.modules if expansion else 0
        self.module_keys = _known(
            expansion.keys if expansion else None, [e.keys for e in all_expansions]
        )

    def layout(self, phone: Phone) -> tuple[Placed, list[Key]]:
        """Where each key of a phone of the model sits, and those without a place."""
        return layout(
            phone,
            keys=self.keys,
            modules=min(phone.expansion_modules, self.modules),
            module_keys=self.module_keys,
            login=login_key(phone, self._vendor, self._model),
            page=self._model.keys_per_page if self._model else None,
        )

    def context(self, phone: Phone) -> Context:
        """The numbers and traits as templates see them."""
        model, vendor = self._model, self._vendor
        return {
            **{name: vendor.trait(model, name) for name in vendor.data.traits},
            "id": model.id if model else phone.model,
            "kind": str(model.kind) if model else "",
            "colour": bool(model and model.screen and model.screen.colour),
            "lines": self.lines,
            "keys": self.keys,
            "modules": self.modules,
            "module_keys": self.module_keys,
            "cannot": list(model.cannot) if model else [],
        }


def _known(value: int | None, others: Sequence[int | None]) -> int:
    if value is not None:
        return value
    return max((other for other in others if other is not None), default=1)


def _phone(phone: Phone, model: Model | None) -> Context:
    digits = phone.mac.digits if phone.mac else ""
    spread = zlib.crc32(digits.encode()) % (5 * 60)
    data = {
        "mac": digits,
        "MAC": digits.upper(),
        "name": phone.name,
        "model": model.id if model else phone.model,
        "firmware": phone.firmware,
        "organisation": phone.organisation,
        "site": phone.site,
        "location": stations.told(phone.location, facts.location(phone)),
        "forwards": stations.forwards(phone.settings, phone.lines),
        "hides_calls": stations.told(bool(phone.hidden), *facts.hidden(phone)),
        "guest": phone.guest,
        "blank": phone.blank,
        "pool": phone.pool,
        "admin_password": _secret(phone.admin_password, phone.settings["admin.password"]),
        "user_password": _secret(phone.user_password, phone.settings["user.password"]),
        "emergency_caller_id": phone.emergency_caller_id,
        "poll_hour": spread // 60,
        "poll_minute": spread % 60,
    }
    return Words(data)


def _secret(text: str, held: Effective) -> Word:
    """A password, told to come from its setting without the setting's value."""
    return Word.of(text, replace(held, value=""))


def _key(vendor: Vendor, number: int, key: Key | None) -> Context:
    kind = key.type if key else KeyType.NONE
    data = {
        "n": number,
        "type": str(kind),
        "code": vendor.data.key_types.get(kind, ""),
        "value": key.value if key else "",
        "label": key.label if key else "",
        "line": key.line if key else 1,
    }
    return RecordedBy(data, *key.because) if key and key.because else data


def _keys(vendor: Vendor, placed: Placed, module: int, count: int) -> list[Context]:
    """Every key of the phone itself or of a module, the empty ones too."""
    area = Area.EXPANSION if module else Area.LINE
    return [
        _key(vendor, number, placed.get(KeyAddress(area, module, number)))
        for number in range(1, count + 1)
    ]


def zone_of(phone: Phone) -> ZoneRule:
    """The rule of a phone's zone in its year; UTC's where zoneinfo does not know the name."""
    name = str(phone.settings["time.zone"].value) or "UTC"
    try:
        return zone_rule(name, phone.year)
    except (ZoneInfoNotFoundError, ValueError):
        return replace(zone_rule("UTC", phone.year), name=name)


def _zone(phone: Phone, vendor: Vendor, model: Model | None) -> Context:
    rule = zone_of(phone)
    told = zones.told(rule, vendor, model)
    data = {
        "name": rule.name,
        "offset": told.rule.offset,
        "saving": told.rule.saving,
        "start": _change(rule.start),
        "end": _change(rule.end),
        "written_start": _change(rule.start or _NO_CHANGE),
        "written_end": _change(rule.end or _NO_CHANGE),
        "written_saving": told.rule.saving or 60,
        "posix": rule.posix,
        "compact": rule.compact,
        "irregular": rule.irregular,
        "code": told.code,
    }
    return RecordedBy(data, phone.settings["time.zone"])


def _change(change: Change | None) -> Context | None:
    if change is None:
        return None
    return {**asdict(change), "sunday_weekday": change.weekday_from_sunday}


def _language(phone: Phone, vendor: Vendor) -> Word:
    held = phone.settings["language"]
    return Word.of(language(vendor, str(held.value)), held)


def _tone(phone: Phone, vendor: Vendor) -> Word:
    held = phone.settings["tone.country"]
    return Word.of(vendor.data.tones.get(str(held.value), ""), held)


def _idle(phone: Phone) -> Word:
    held = phone.settings["idle.text"]
    own = [line for line in phone.lines if not line.of_place]
    texts = [stations.barred_text(phone, line) for line in own]
    if texts and all(texts):
        return texts[0]
    return Word.of(str(held.value) if phone.guest else "", held)


def language(vendor: Vendor, tag: str) -> str:
    """The vendor's word for a language tag: as it is, without its region, else English."""
    words = vendor.data.languages
    for candidate in (tag, tag.partition("-")[0], _FALLBACK_LANGUAGE):
        if candidate in words:
            return words[candidate]
    return ""


def _look(phone: Phone) -> Context:
    look, screens = phone.look, phone.provisioning.screens
    cover, avatar = facts.cover(phone), facts.avatar(phone)
    url = stations.picture_url(phone, look.wallpaper)
    data = {
        "wallpaper_url": stations.told(url, cover),
        "wallpaper": stations.told(url.rpartition("/")[2], cover),
        "logo_url": stations.told(stations.picture_url(phone, look.logo), avatar),
        "photos_url": stations.told(screens + "photos" if screens else "", facts.photo(phone)),
    }
    return Words(data)


def _hotdesk(phone: Phone, vendor: Vendor, model: Model | None) -> Context:
    url = screen_url(phone, vendor)
    has_own = vendor.native(model, phone.firmware) is not None
    held = phone.settings[NATIVE] if has_own else None
    data = {
        "url": url,
        "label": label(phone, vendor) if url else "",
        "has_own": has_own,
        "users_url": stations.told(users_url(phone, vendor, model), held),
        "key": stations.told(native_key(phone, vendor, model), held),
    }
    return Words(data)


def _provisioning(phone: Phone) -> Context:
    scheme, _, hostpath = phone.provisioning.url.partition("://")
    return {**asdict(phone.provisioning), "scheme": scheme, "hostpath": hostpath}


def _userinfo(phone: Phone) -> str:
    """The part of a URL before its host (RFC 3986 section 3.2.1), with its at sign."""
    place = phone.provisioning
    return f"{quote(place.user, safe='')}:{quote(place.password, safe='')}@" if place.user else ""


def _phonebook(phone: Phone, vendor: Vendor) -> Context:
    """The phone book set for the phone, else our own where its dialect has one."""
    url = str(phone.settings["phonebook.url"].value)
    model = vendor.model(phone.model)
    rules = vendor.rules_for(model, phone.firmware)
    own = next((rule.pattern for rule in rules if rule.phonebook), "")
    mac = phone.mac
    name = grammar.emit(own, mac=mac, model=phone.model, traits={}) if own else None
    if not url and name and phone.provisioning.url and not phone.blank:
        url = phone.provisioning.url + name
    title = phone.settings["phonebook.name"]
    data = {"url": url, "name": Word.of(str(title.value), title)}
    return RecordedBy(data, phone.settings["phonebook.url"])


def _adopt(phone: Phone, vendor: Vendor) -> list[tuple[str, str]]:
    place = _provisioning(phone)
    if not place["url"]:
        return []
    adopt = vendor.data.adopt
    values = {
        "{url}": place["url"],
        "{scheme}": adopt.schemes.get(place["scheme"], place["scheme"]),
        "{hostpath}": place["hostpath"],
        "{userinfo}": _userinfo(phone),
        "{user}": place["user"],
        "{password}": place["password"],
        "{mac}": phone.mac.digits if phone.mac else "",
    }
    found = []
    for name, value in adopt.parameters.items():
        text = value
        for placeholder, replacement in values.items():
            text = text.replace(placeholder, replacement)
        found.append((name, text))
    return found
