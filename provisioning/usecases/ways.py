"""Which ways there are to tell a device that it should load its files anew, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from uuid import UUID

from provisioning.domain.effective import Effective
from provisioning.domain.kinds import Transport, Way
from provisioning.domain.settings import Scope
from provisioning.render.screens import RELOAD
from provisioning.store import telling
from provisioning.store.database import Session
from provisioning.store.people import SipAccount, SipServer
from provisioning.store.snapshots import Snapshot
from provisioning.usecases.core import Core, networks, within
from provisioning.usecases.current import screens_url
from provisioning.usecases.lines import people_at
from provisioning.usecases.phones import held_for
from provisioning.usecases.ports import Connector, Contact, Telling
from provisioning.usecases.purposes import PURPOSE_PHONE, PURPOSE_SIP
from provisioning.vendors.behaviour import HttpReload, Reload

WAYS = "reload.ways"
HTTP_FROM = "reload.http-from"

_TLS_PORT = 5061
"""Where SIP over TLS is taken (RFC 3261 section 19.1.2)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of where a device can be told.

    ``address`` is where it can be reached directly, empty where it cannot, and ``why`` says why
    not. ``pbx`` is the connector of its SIP server's PBX.
    """

    address: str = ""
    why: str = ""
    contact: Contact | None = None
    pbx: Connector | None = None


def ways(device: UUID, data: Reload, order: Sequence[str], reach: Reach) -> list[Telling]:
    """How a device can be told, in the order of its place. A pure function of what is known."""
    event = data.notify or data.reboot
    found: dict[Way, Telling] = {}
    contact = reach.contact
    if event and contact is not None:
        told = Telling(device, Way.SIP, event=event, contact=contact)
        if reach.address:
            found[Way.SIP] = told
        if reach.pbx is not None and _passes_on(reach.pbx, contact, reach.address):
            found[reach.pbx.way] = replace(told, way=reach.pbx.way, connector=reach.pbx)
    if data.http is not None and reach.address:
        found[Way.HTTP] = Telling(device, Way.HTTP, http=data.http, host=reach.address)
    return [found[way] for way in map(Way, order) if way in found]


def _passes_on(pbx: Connector, contact: Contact, address: str) -> bool:
    """Whether a PBX can tell this one phone.

    FreeSWITCH does so over the connection the phone registered by. Asterisk tells all phones of an
    account or sends to an address, and from that of a NAT or a proxy nothing comes to the phone.
    """
    return pbx.way is not Way.ASTERISK or contact.alone or bool(address)


def ways_to(
    core: Core, session: Session, rows: Snapshot, data: Reload, pbx: Connector | None
) -> tuple[list[Telling], str]:
    """How a device can be told now, and why it cannot where there is no way."""
    reach = _reach(core, session, rows, data, pbx)
    order = held_for(rows, core.cipher, None, Scope.RULE)[WAYS].value
    assert isinstance(order, tuple)  # noqa: S101 - the setting is a list
    held = held_for(rows, core.cipher, None, Scope.DEVICE)
    screens = screens_url(core, session, rows) if data.http and data.http.opens_screen else ""
    closed = _takes_no_request(data.http, held, screens) if data.http else ""
    served = replace(data, http=None) if closed else data
    found = [
        _with_login(core, rows, held, screens, item)
        for item in ways(rows.device.id, served, order, reach)
    ]
    if found:
        return found, ""
    if not (data.notify or data.reboot or data.http):
        return [], data.none or "nothing is known that makes such a phone load its files"
    if not reach.why and closed and Way.HTTP in order:
        return [], closed
    return [], reach.why or "its place allows none of the ways to tell it"


def _takes_no_request(http: HttpReload, held: Mapping[str, Effective], screens: str) -> str:
    """Why a phone's web server takes no request of ours, empty if it does."""
    web = held["web.mode"].value
    if web != "https":
        return f"its web server takes no request with the setting web.mode '{web}'"
    if http.listed and not held[HTTP_FROM].value:
        return f"its web server takes no request while the setting {HTTP_FROM} is empty"
    if http.opens_screen and not screens:
        return "its files name no URL of this server's that it could be asked to open"
    return ""


def _with_login(
    core: Core, rows: Snapshot, held: Mapping[str, Effective], screens: str, item: Telling
) -> Telling:
    """With the password of the phone's administrator, which its own web server asks for."""
    if item.http is None:
        return item
    secret = rows.device.admin_password_encrypted
    password = str(held["admin.password"].value) or core.cipher.decrypt(secret, PURPOSE_PHONE)
    screen = screens + RELOAD if screens else ""
    return replace(item, username=item.http.user, password=password, screen=screen)


def _reach(
    core: Core, session: Session, rows: Snapshot, data: Reload, pbx: Connector | None
) -> Reach:
    address = telling.addresses(session, [rows.device.id]).get(rows.device.id, "")
    why = _why_not(core, session, rows, address)
    account = told_account(rows)
    if account is None:
        return Reach("" if why else address, why or "it has no SIP account", None, pbx)
    server = rows.servers[account.sip_server_id]
    contact = _contact(core, account, server, address, data)
    return Reach("" if why else address, why, contact, pbx)


def _why_not(core: Core, session: Session, rows: Snapshot, address: str) -> str:
    """Why a device cannot be told at the address it came from, empty if it can.

    Behind a NAT many phones share an address, and what is sent to it reaches none of them, or
    the wrong one.
    """
    if not address:
        return "it has never fetched a file of its own"
    place = ip_address(address)
    if core.is_proxy(place):
        return "it came through a proxy, so its address is not known"
    if not place.is_global:
        return ""
    if not within(place, networks(rows.site.networks)):
        return "it is behind a NAT"
    if telling.same_address(session, rows.device.organisation_id, address, rows.device.id):
        return "it shares its address with another phone behind a NAT"
    return ""


def told_account(rows: Snapshot) -> SipAccount | None:
    """The account a device is told at: its station's own, else its first line's.

    Never one that is not on this phone: a PBX would tell every phone of that person. Where the
    phone's own log-in holds somebody, their lines are all it has.
    """
    stations = {station.id for station in rows.stations}
    held = {rows.seated[station] for station in stations & rows.native}
    on_it = [account for account in rows.accounts if account.user_id in held]
    own = [account for account in rows.accounts if account.station_id in stations]
    people = [user.id for station in rows.stations for user, _ in people_at(rows, station.id)]
    theirs = [row for user in people for row in rows.accounts if row.user_id == user]
    return next(iter([*on_it, *own, *theirs]), None)


def _contact(
    core: Core, account: SipAccount, server: SipServer, address: str, data: Reload
) -> Contact:
    return Contact(
        user=account.username,
        host=address,
        port=_TLS_PORT if server.transport == Transport.TLS else data.port,
        transport=server.transport,
        domain=server.registrar,
        auth_name=account.auth_name or account.username,
        password=core.cipher.decrypt(account.password_encrypted, PURPOSE_SIP),
        alone=account.station_id is not None,
    )
