"""Where each key of a phone sits: set keys at their address, the rest poured into what is free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.phone import Phone, Poured
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model


def layout(
    phone: Phone,
    *,
    keys: int,
    modules: int,
    module_keys: int,
    login: Key | None = None,
    page: int | None = None,
) -> tuple[dict[KeyAddress, Key], list[Key]]:
    """The keys by address, and those for which the model has no place left.

    ``login`` is the key that opens the hotdesk screen, if the phone has one: where nobody's own
    finds a place it takes the last free place of the first ``page`` (or just the first, where
    nobody knows its keys) before anything is poured, so that there is always a way out.

    ``keys`` are those of the phone itself, ``modules`` the expansion modules attached. Keys set
    at an address come first; then the phone's lines take the first places where nothing is set;
    then generated sets and the user's own list are poured, in order, into the free places from
    their start on, over the pages of the phone and then over its modules.
    """
    if phone.blank:
        return {}, []
    places = list(_places(keys, modules, module_keys))
    here = set(places)
    placed = {key.address: key for key in phone.keys if key.address in here}
    beyond = [key for key in phone.keys if key.address not in here]
    for number, line in enumerate(phone.lines, 1):
        if line.spare:
            continue  # a spare line takes no key from the person
        address = KeyAddress(Area.LINE, 0, number)
        if address in here and address not in placed:
            placed[address] = Key(address, KeyType.LINE, label=line.label, line=number)
    full, left = _poured(phone.poured, places, placed)
    if login is not None and all(key.type is not KeyType.LOGIN for key in full.values()):
        place = _to_log_in([p for p in places if p not in placed], page or 0)
        if place is None:
            beyond.append(login)
        else:
            placed[place] = replace(login, address=place)
            full, left = _poured(phone.poured, places, placed)
    shown = {address: _opened(key, login) for address, key in full.items()}
    return {address: key for address, key in shown.items() if key is not None}, beyond + left


def _poured(
    lists: Iterable[Poured], places: Sequence[KeyAddress], placed: Mapping[KeyAddress, Key]
) -> tuple[dict[KeyAddress, Key], list[Key]]:
    """The placed keys and those poured around them, and what found no place."""
    full, left = dict(placed), []
    for poured in lists:
        free = (p for p in places if _rank(p) >= _rank(poured.start) and p not in full)
        for key in poured.keys:
            place = next(free, None)
            if place is None:
                left.append(key)
            else:
                full[place] = replace(key, address=place)
    return full, left


def _to_log_in(free: Sequence[KeyAddress], page: int) -> KeyAddress | None:
    """The last place of the first page, else the first of all: it is to be seen without searching."""
    first_page = [p for p in free if p.area is Area.LINE and p.position <= page]
    return first_page[-1] if first_page else next(iter(free), None)


def _opened(key: Key, login: Key | None) -> Key | None:
    """A key to log in without a URL of its own, with what it does on this phone; none if nothing."""
    if key.type is not KeyType.LOGIN or key.value:
        return key
    return replace(login, address=key.address, label=key.label or login.label) if login else None


def fitting(key: Key, vendor: Vendor, model: Model | None) -> Key:
    """The key, or in place of a prefix the phone has no key for one that dials it by itself.

    What is dialled after it, the server asks for (FEATURES A10, B9, D5).
    """
    if key.type is not KeyType.PREFIX or not key.value or _has(key.type, vendor, model):
        return key
    dials = _has(KeyType.SPEED_DIAL, vendor, model)
    return replace(key, type=KeyType.SPEED_DIAL) if dials else key


def _has(kind: KeyType, vendor: Vendor, model: Model | None) -> bool:
    return kind in vendor.data.key_types and not (model and kind in model.cannot)


def _rank(address: KeyAddress) -> tuple[bool, int, int]:
    """The phone's own places come before those of its modules."""
    return (address.area is Area.EXPANSION, address.module, address.position)


def _places(keys: int, modules: int, module_keys: int) -> Iterator[KeyAddress]:
    """Every address there is, the phone's own before those of its modules."""
    for position in range(1, keys + 1):
        yield KeyAddress(Area.LINE, 0, position)
    for module in range(1, modules + 1):
        for position in range(1, module_keys + 1):
            yield KeyAddress(Area.EXPANSION, module, position)
