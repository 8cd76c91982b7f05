"""Golden cases: a phone described as data, and the files it must get, byte for byte.

``templates/_shared/cases/NAME.toml`` describes a phone that every dialect renders. A folder
``templates/<vendor>/golden/<case>/`` holds ``case.toml`` (``of``: the shared case, ``model``,
``mac``, and anything it sets otherwise) and the expected files beside it, with its screens in
``screens/`` where people log in at the phone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.domain.effective import Layer, Origin, resolve
from provisioning.domain.errors import BadVendorFolder, BrokenRule
from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.mac import Mac
from provisioning.domain.phone import (
    Contact,
    Dect,
    Directory,
    Line,
    Login,
    Look,
    Member,
    Phone,
    Provisioning,
    Server,
    Station,
)
from provisioning.domain.settings import Level, Scope, setting_for
from provisioning.render.files import named_rules, render_file, render_person
from provisioning.render.screens import samples
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.load import Vendor
from provisioning.vendors.registry import SHARED

SCREENS = "screens"
"""The folder beside a case's files in which its screens stand."""


@dataclass(frozen=True, slots=True)
class Case:
    """One golden case: where it stands and the phone it describes."""

    vendor: Vendor
    folder: Path
    phone: Phone

    def files(self) -> dict[str, bytes]:
        """Every file of the phone by name, as rendered now."""
        return {
            item.name: render_file(self.phone, self.vendor, item.rule)
            for item in named_rules(self.phone, self.vendor)
        }

    def screens(self) -> dict[str, bytes]:
        """A screen of each sort by name, as rendered now, where people log in at the phone.

        Beside them the file of whoever is logged in by the phone's own log-in.
        """
        return dict(samples(self.phone, self.vendor)) | self._persons()

    def _persons(self) -> dict[str, bytes]:
        phone, vendor = self.phone, self.vendor
        native = vendor.native(vendor.model(phone.model), phone.firmware)
        if native is None or phone.login is not Login.NATIVE:
            return {}
        name = native.file.replace("{user}", phone.lines[0].user_name)
        return {name: render_person(phone, vendor, native)}

    def expected(self) -> dict[str, bytes]:
        """The files that stand in the folder."""
        return {name: text for name, text in _held(self.folder).items() if name != "case.toml"}

    def expected_screens(self) -> dict[str, bytes]:
        """The screens that stand in the folder's own folder of them."""
        return _held(self.folder / SCREENS)

    @property
    def is_as_expected(self) -> bool:
        """Whether everything is rendered as it stands there."""
        return (self.files(), self.screens()) == (self.expected(), self.expected_screens())

    def write(self) -> None:
        """Put what is rendered now in place of what was expected."""
        for folder, made, former in (
            (self.folder, self.files(), self.expected()),
            (self.folder / SCREENS, self.screens(), self.expected_screens()),
        ):
            for name in former:
                (folder / name).unlink()
            if made:
                folder.mkdir(exist_ok=True)
            for name, content in made.items():
                (folder / name).write_bytes(content)


def _held(folder: Path) -> dict[str, bytes]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def case_folders(vendor: Vendor) -> list[Path]:
    """The folders of a vendor's golden cases by name; an operator's own hides the shipped one."""
    found: dict[str, Path] = {}
    for root in vendor.folders:
        for path in root.glob("golden/*/case.toml"):
            found.setdefault(path.parent.name, path.parent)
    return [found[name] for name in sorted(found)]


def load_case(vendor: Vendor, folder: Path) -> Case:
    """Read one golden case; raises BadVendorFolder for a case.toml that describes no phone."""
    path = folder / "case.toml"
    try:
        return Case(vendor, folder, _phone(_read(vendor, path)))
    except KeyError as error:
        raise BadVendorFolder(f"{error} is missing.", remedy="Write it.") from None
    except (BrokenRule, AttributeError, OSError, TypeError, ValueError) as error:
        raise BadVendorFolder(
            f"The file describes no phone: {error}.".replace("..", "."),
            remedy="See templates/_shared/cases for phones that are described.",
        ) from None


def cases(vendor: Vendor) -> Iterator[Case]:
    """The golden cases of a vendor, in order of their names; raises as ``load_case`` does."""
    for folder in case_folders(vendor):
        yield load_case(vendor, folder)


def shared_cases(vendor: Vendor) -> list[str]:
    """The shared cases every model of a vendor renders, and of which it has golden ones.

    A case of a base or an adapter names the kind of model it is for in ``kind``; the case of a
    phone book is for dialects that have one.
    """
    kinds = {str(model.kind) for model in vendor.data.models}
    books = any(rule.phonebook for rule in vendor.data.files)
    roots = (*vendor.roots, shipped_root())
    found: dict[str, bool] = {}
    for path in (path for root in roots for path in root.glob(f"{SHARED}/cases/*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        fits = data.get("kind", "") in {"", *kinds} and (books or "directory" not in data)
        found.setdefault(path.stem, fits)
    return sorted(name for name, fits in found.items() if fits)


def shared_phone(roots: tuple[Path, ...], name: str, /, **changes: Any) -> Phone:
    """The phone of a shared case, with top-level keys set otherwise."""
    path = next(p for root in roots if (p := root / SHARED / "cases" / f"{name}.toml").is_file())
    return _phone(tomllib.loads(path.read_text(encoding="utf-8")) | changes)


def _read(vendor: Vendor, path: Path) -> dict[str, Any]:
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    if "of" not in own:
        return own
    roots = (*vendor.roots, shipped_root())
    names = [root / SHARED / "cases" / f"{own['of']}.toml" for root in roots]
    base = next((name for name in names if name.is_file()), None)
    if base is None:
        raise ValueError(f"there is no shared case '{own['of']}'")
    data = tomllib.loads(base.read_text(encoding="utf-8"))
    for key, value in own.items():
        merges = isinstance(value, dict) and isinstance(data.get(key), dict)
        data[key] = {**data[key], **value} if merges else value
    return data


def _phone(data: Mapping[str, Any]) -> Phone:
    stations = tuple(_station(station) for station in data.get("stations", ()))
    lines = tuple(_line(line) for line in data.get("lines", ()))
    lines = lines or tuple(line for station in stations for line in station.lines)
    return Phone(
        mac=Mac.parse(data["mac"]) if data.get("mac") else None,
        name=data.get("name", ""),
        model=data.get("model", ""),
        firmware=data.get("firmware", ""),
        organisation=data.get("organisation", "Example Ltd"),
        site=data.get("site", "main"),
        settings=_settings(data.get("settings", {}), Scope.DEVICE),
        year=data.get("year", 2026),
        lines=lines,
        stations=stations,
        dect=_dect(data["dect"]) if "dect" in data else None,
        directory=_directory(data.get("directory", {})),
        keys=tuple(_key(key) for key in data.get("keys", ())),
        provisioning=Provisioning(**data.get("provisioning", {})),
        look=Look(**data.get("look", {})),
        pool=data.get("pool", False),
        login=Login(data.get("login", "")),
        open_pin=data.get("open_pin", False),
        blank=data.get("blank", False),
        expansion_modules=data.get("expansion_modules", 0),
        admin_password=data.get("admin_password", "Adm1nPassw0rd"),
        user_password=data.get("user_password", "Us3rPassw0rd"),
        emergency_caller_id=data.get("emergency_caller_id", ""),
        hidden=tuple(data.get("hidden", ())),
    )


def _settings(values: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    layers = [
        Layer(
            key,
            setting_for(key, Level.ORGANISATION).parse(value),
            Origin(Level.ORGANISATION, "Example Ltd"),
        )
        for key, value in values.items()
    ]
    return resolve(layers, scope=scope)


def _line(data: Mapping[str, Any]) -> Line:
    return Line(
        user_name=data["user_name"],
        auth_name=data.get("auth_name", data["user_name"]),
        password=data["password"],
        display_name=data["display_name"],
        label=data.get("label", data["display_name"]),
        extension=data.get("extension", data["user_name"]),
        server=Server(**data["server"]),
        settings=_settings(data.get("settings", {}), Scope.LINE),
        shared=data.get("shared", False),
        of_place=data.get("of_place", False),
        spare=data.get("spare", False),
        allowed=tuple(data.get("allowed", ())),
    )


def _station(data: Mapping[str, Any]) -> Station:
    given = {name: value for name, value in data.items() if name != "lines"}
    return Station(**given, lines=tuple(_line(line) for line in data.get("lines", ())))


def _dect(data: Mapping[str, Any]) -> Dect:
    members = tuple(
        Member(**{**member, "mac": Mac.parse(member["mac"])}) for member in data.get("members", ())
    )
    return Dect(data["name"], data["access_code"], members)


def _directory(data: Mapping[str, Any]) -> Directory:
    contacts = tuple(
        Contact(**{**contact, "numbers": tuple(map(tuple, contact["numbers"]))})
        for contact in data.get("contacts", ())
    )
    return Directory(**{**data, "contacts": contacts})


def _key(data: Mapping[str, Any]) -> Key:
    module = data.get("module", 0)
    area = Area.EXPANSION if module else Area.LINE
    return Key(
        KeyAddress(area, module, data["position"]),
        KeyType(data["type"]),
        value=data.get("value", ""),
        label=data.get("label", ""),
        line=data.get("line", 1),
    )
