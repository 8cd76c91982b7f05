"""Where a served file moves its phone to, so that the next boot proves who it is."""

from __future__ import annotations

from provisioning.domain.phone import Provisioning
from provisioning.domain.trust import GRADES, Grade
from provisioning.store.organisations import Site
from provisioning.store.security import DeviceTrust
from provisioning.usecases.core import Core
from provisioning.usecases.purposes import PURPOSE_SCREEN, PURPOSE_TOKEN
from provisioning.usecases.requests import Door
from provisioning.vendors.load import Vendor
from provisioning.vendors.schema import Model

CA_FILE = "-ca.crt"
"""What follows the MAC in the name of the file that hands a phone our own CA."""


def can_prove(vendor: Vendor, model: Model | None) -> Grade:
    """The highest grade a model can ever prove."""
    word = (model.highest_trust if model else None) or vendor.data.highest_trust
    return GRADES[word]


def schemes(vendor: Vendor, model: Model | None) -> tuple[str, ...]:
    """The schemes of the URLs that a file can lead a phone to."""
    return (model.over if model else None) or vendor.data.adopt.over


def can_follow(place: Provisioning, vendor: Vendor, model: Model | None) -> bool:
    """Whether the phone can come back with proof: at once, or by HTTPS after it has our CA.

    A dialect without a parameter for it is led by DHCP or by hand alone.
    """
    if not vendor.data.adopt.parameters:
        return False
    over = schemes(vendor, model)
    later = "https" in over and bool(place.ca_url or place.ca_pem)
    return later or place.url.partition("://")[0] in over


def token_url(core: Core, trust: DeviceTrust, *, tls: bool = True) -> str:
    """The device's own URL, with its final slash."""
    token = core.cipher.decrypt(trust.token_encrypted, PURPOSE_TOKEN)
    base = core.places.https if tls else core.places.http
    return f"{base}/t/{token}/"


def _screens(core: Core, trust: DeviceTrust, *, tls: bool) -> str:
    """Where the phone tells what happens on it; empty for one that has no screen token yet."""
    if trust.screen_token_encrypted is None:
        return ""
    token = core.cipher.decrypt(trust.screen_token_encrypted, PURPOSE_SCREEN)
    return f"{core.places.https if tls else core.places.http}/s/{token}/"


def _place(core: Core, trust: DeviceTrust, ca_url: str, ca_pem: str, *, tls: bool) -> Provisioning:
    return Provisioning(
        token_url(core, trust, tls=tls),
        ca_url=ca_url,
        ca_pem=ca_pem,
        screens=_screens(core, trust, tls=tls),
    )


def destination(
    core: Core, *, trust: DeviceTrust, site: Site, vendor: Vendor, model: Model | None,
    door: Door, mac: str,
) -> Provisioning:  # fmt: skip
    """The URL a file tells its phone to use from now on.

    It is the HTTPS token URL where the phone can follow: it came by HTTPS just now, its model
    trusts the public CAs and our chain is of one, or it fetched our CA before. Else the HTTP
    token URL, where the site allows it. Else none, and the phone is handed our CA so that it can
    follow next time.
    """
    if can_prove(vendor, model) < Grade.TOKEN:
        return Provisioning()
    tls = vendor.data.tls
    public = core.places.https_is_public
    ca = tls.delivery and not public
    ca_url = f"{core.places.http}/{mac}{CA_FILE}" if ca and mac and core.places.http else ""
    ca_pem = core.places.ca_pem if ca else ""
    follows = (
        door is Door.HTTPS
        or (public and tls.public)
        or (ca and trust.ca_delivered_at is not None)
        or not core.places.http
    )
    over = schemes(vendor, model)
    if core.places.https and follows and "https" in over:
        return _place(core, trust, ca_url, ca_pem, tls=True)
    if core.places.http and site.allow_http and "http" in over:
        return _place(core, trust, ca_url, ca_pem, tls=False)
    if core.places.https and follows:  # not to be led there, but a phone book can be asked for
        return _place(core, trust, ca_url, ca_pem, tls=True)
    return Provisioning(ca_url=ca_url, ca_pem=ca_pem)
