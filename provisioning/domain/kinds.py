"""The words that columns, API and pages share."""

from __future__ import annotations

from enum import StrEnum


class DeviceState(StrEnum):
    """The life of a device, in order."""

    REGISTERED = "registered"
    ADOPTED = "adopted"
    BLOCKED = "blocked"
    RETIRED = "retired"


class StationKind(StrEnum):
    """What a person is given."""

    DESK_PHONE = "desk-phone"
    HANDSET = "handset"
    SOFTPHONE = "softphone"
    ATA_PORT = "ata-port"


class Hotdesking(StrEnum):
    """Who may log in on a station: nobody, anyone while it is a pool phone, anyone at all."""

    OFF = "off"
    POOL = "pool"
    ANY = "any"


class IdentityKind(StrEnum):
    """What a device is known by."""

    MAC = "mac"
    SERIAL = "serial"
    CERTIFICATE = "certificate"


class Appearance(StrEnum):
    """Whether a line is the user's alone or appears on several stations (SLA/BLA)."""

    PRIVATE = "private"
    SHARED = "shared"


class Transport(StrEnum):
    """How SIP travels."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Secrets(StrEnum):
    """Who sets a SIP server's passwords: this server, or the PBX side."""

    OURS = "ours"
    GIVEN = "given"


class DectRole(StrEnum):
    """What a member device does in its DECT system."""

    MANAGER = "manager"
    BASE = "base"


class Subscription(StrEnum):
    """Whether a handset is known to be subscribed in its slot; some bases never tell."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    SUBSCRIBED = "subscribed"


class MemberState(StrEnum):
    """Whether a membership may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class NumberKind(StrEnum):
    """What a number of a contact is."""

    INTERNAL = "internal"
    WORK = "work"
    MOBILE = "mobile"
    HOME = "home"


class Package(StrEnum):
    """The PBX package of an organisation (FEATURES A7)."""

    LIGHT = "light"
    UNLIMITED = "unlimited"


class LicenceKind(StrEnum):
    """What a licence is for; an add-on has a name of its own."""

    PRO = "pro"
    MOBILE = "mobile"
    ADD_ON = "add-on"


class TargetKind(StrEnum):
    """What a call target is."""

    RING_GROUP = "ring-group"
    VOICE_APP = "voice-app"
    DIAL_PLAN = "dial-plan"
    SCHEDULE = "schedule"
    SHARED_VOICEMAIL = "shared-voicemail"


class Incoming(StrEnum):
    """Where a user's calls ring: at the stations assigned to them, or wherever they log in."""

    FIXED = "fixed"
    HOTDESK = "hotdesk"


class SheetKind(StrEnum):
    """What an imported text is of."""

    USERS = "users"
    DEVICES = "devices"
    CONTACTS = "contacts"


class ImportState(StrEnum):
    """How far an import is; the last four are its ends."""

    CHECKING = "checking"
    WRITING = "writing"
    DONE = "done"
    CHECKED = "checked"
    REFUSED = "refused"
    FAILED = "failed"


class ReloadState(StrEnum):
    """How far a device is on its way to what was changed."""

    CHANGED = "changed"
    """Something it may show was changed; whether a byte of its files was is not known yet."""
    SAVED = "saved"
    """Its files differ from what it fetched last; it is to be told."""
    TOLD = "told"
    """It was told, and has not come for everything yet."""
    WAITING = "waiting"
    """Nothing reaches it; it comes at its next poll."""
    GIVEN_UP = "given-up"
    """It was told again and again and never came; it is told no more."""


class Way(StrEnum):
    """How a phone is told to load its files anew."""

    SIP = "sip"
    """A NOTIFY of ours to the phone's own address."""
    ASTERISK = "asterisk"
    """A NOTIFY by Asterisk, asked over its manager interface."""
    FREESWITCH = "freeswitch"
    """A NOTIFY by FreeSWITCH, asked over its event socket."""
    HTTP = "http"
    """The vendor's own request to the phone."""


class Pbx(StrEnum):
    """What a PBX is that is asked to tell phones; the words are those of ``Way``."""

    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"


class StepKind(StrEnum):
    """What rings in a step of follow me: a colleague, any number, or a call target."""

    EXTENSION = "extension"
    NUMBER = "number"
    TARGET = "target"


class FallbackKind(StrEnum):
    """What comes when nobody answered; all but the first two name what they go to."""

    VOICEMAIL = "voicemail"
    HANG_UP = "hang-up"
    USER = "user"
    RING_GROUP = "ring-group"
    VOICE_APP = "voice-app"
    DIAL_PLAN = "dial-plan"
    SCHEDULE = "schedule"
    SHARED_VOICEMAIL = "shared-voicemail"


class SessionEnd(StrEnum):
    """What ended a hotdesk session."""

    LOGOUT = "logout"
    ADMIN = "admin"
    LEASE = "lease"
    MOVED = "moved"
    TAKEN_OVER = "taken-over"
    DISABLED = "disabled"
    """The person was disabled, or deleted."""
    PIN = "pin-changed"
    PASSWORD = "password-reset"  # noqa: S105 - the word for why, not one
    RETIRED = "retired"
    """The phone was retired, or the place at it is there no more."""


class Release(StrEnum):
    """Whether the phone of an ended session can still register as the person."""

    PENDING = "pending"
    """It has some minutes to fetch its new file."""
    RELEASED = "released"
    """It has fetched it."""
    ROTATED = "rotated"
    """It has not, and the person's SIP passwords are others now."""
    REGISTERS = "still-registers"
    """It has not, and the passwords are the PBX side's to change."""


class Purpose(StrEnum):
    """What a picture is for."""

    AVATAR = "avatar"
    COVER = "cover"
