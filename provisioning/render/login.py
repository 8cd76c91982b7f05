"""The key by which people log in at a phone, and out (FEATURES G1)."""

from __future__ import annotations

from provisioning.domain.keys import Area, Key, KeyAddress, KeyType
from provisioning.domain.phone import Login, Phone
from provisioning.render.texts import Texts
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model, Screens

HOME = "hotdesk"
"""What opens the hotdesk screen, behind a screen URL."""

FOLDER = "users/"
"""Where the files of people stand for the phones' own log-in, behind a screen URL."""

NATIVE = "hotdesk.native"

_SOMEWHERE = KeyAddress(Area.LINE, 0, 1)


def texts_of(phone: Phone, vendor: Vendor) -> Texts:
    """The sentences in a phone's language, an operator's own first."""
    return Texts(vendor.roots, str(phone.settings["language"].value))


def screens_of(phone: Phone, vendor: Vendor) -> Screens | None:
    """What the phone shows behind its screen URL; nothing where its place lets no PIN be seen."""
    screens = vendor.screens(vendor.model(phone.model))
    return screens if screens and (screens.masks or phone.open_pin) else None


def screen_url(phone: Phone, vendor: Vendor) -> str:
    """The URL of the hotdesk screen; empty where the phone takes no logins or shows no screens."""
    if phone.login is Login.NONE or not screens_of(phone, vendor) or not phone.provisioning.screens:
        return ""
    return phone.provisioning.screens + HOME


def users_url(phone: Phone, vendor: Vendor, model: Model | None) -> str:
    """The folder of the phone's own log-in; empty where it has none, or is not to use it."""
    takes = phone.login is not Login.NONE and bool(phone.settings[NATIVE].value)
    if not takes or vendor.native(model, phone.firmware) is None or not phone.provisioning.screens:
        return ""
    return phone.provisioning.screens + FOLDER


def native_key(phone: Phone, vendor: Vendor, model: Model | None) -> str:
    """The vendor's type of the key to the phone's own log-in; empty where our screen opens.

    Whoever logged in by our screen logs out by it, for the phone knows nothing of them.
    """
    native = vendor.native(model, phone.firmware)
    if native is None or phone.login is Login.OUT or not users_url(phone, vendor, model):
        return ""
    return native.key


def label(phone: Phone, vendor: Vendor) -> str:
    """What stands on the key, in the phone's language."""
    out = phone.login in (Login.OUT, Login.NATIVE)
    return texts_of(phone, vendor)("log-out" if out else "log-in")


def login_key(phone: Phone, vendor: Vendor, model: Model | None) -> Key | None:
    """The key that opens the screen, else one that dials the code of the PBX for it, if it has one."""
    if phone.login is Login.NONE:
        return None
    known = {name for name in vendor.data.key_types if model is None or name not in model.cannot}
    url = screen_url(phone, vendor)
    if url and KeyType.LOGIN in known:
        return Key(_SOMEWHERE, KeyType.LOGIN, url, label(phone, vendor))
    codes = (line.server.codes.get("hotdesk", "") for line in phone.lines)
    code = next(filter(None, codes), "")
    if code and KeyType.SPEED_DIAL in known:
        return Key(_SOMEWHERE, KeyType.SPEED_DIAL, code, label(phone, vendor))
    return None
