"""The rules that can be broken, one class each.

A class is named for its rule and its stable ``code`` is derived from that name, so that a code is
written once. What a door makes of a class (a status, a TFTP error number) stands in that door's
own table; nothing here knows of doors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


class BrokenRule(Exception):
    """The base of every error a user can cause or must be told of.

    ``what`` says what was wrong and where, ``remedy`` what to do about it; both are whole
    sentences or clauses fit for an admin's eyes and never hold a secret. ``field`` names the
    input concerned (a JSON path or a config key), if there is one; ``more`` is what a program
    needs to go on, by name.
    """

    def __init__(
        self,
        what: str,
        *,
        remedy: str = "",
        field: str = "",
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.field = field
        self.more = more or {}

    @classmethod
    def code(cls) -> str:
        """The stable, machine-readable name of the rule, for example ``duplicate-mac``."""
        return _kebab(cls.__name__)

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class InvalidInput(BrokenRule):
    """A value does not have the form its field asks for."""


class MalformedMac(InvalidInput):
    """A text that should be a MAC address is not twelve hexadecimal digits."""


class InvalidSetting(InvalidInput):
    """A setting's key, level or value is not one the settings table allows."""


class SettingsDisagree(InvalidInput):
    """A value needs another one to be otherwise than it is."""


class PinUnchanged(InvalidInput):
    """A PIN that has to be changed is the one it was."""


class MalformedJson(InvalidInput):
    """A request body is not the JSON its endpoint takes."""


class UnknownModel(InvalidInput):
    """The vendor has no model of that name."""


class UnknownVendor(InvalidInput):
    """No vendor folder of that name is loaded."""


class NotFound(BrokenRule):
    """The thing asked for does not exist, or not for this asker."""


class Conflict(BrokenRule):
    """The change contradicts what is already stored."""


class DuplicateMac(Conflict):
    """A device with this MAC address is registered already."""


class DuplicateExtension(Conflict):
    """Another user of the organisation has this extension."""


class DuplicateName(Conflict):
    """A thing of this kind with this name exists already."""


class TooManyUsers(Conflict):
    """More lines are asked of a phone than its model has."""


class PoolPhone(Conflict):
    """A pool phone belongs to whoever comes and takes no assigned users."""


class HotdeskingOff(Conflict):
    """The phone takes no logins, or the person may not log in on phones."""


class StationOccupied(Conflict):
    """Somebody is logged in at the phone, and the place's rules keep them there."""


class LoggedInElsewhere(Conflict):
    """The person is logged in at another phone, and the place's rules keep them there."""


class StillInUse(Conflict):
    """The thing cannot go while others refer to it."""


class Unconfirmed(Conflict):
    """The thing takes others with it, and the request did not say that this is meant."""


class LicencesExhausted(Conflict):
    """More licences are asked for than the organisation owns."""


class NeedsProLicence(Conflict):
    """A phone on a desk needs a user with a Pro licence."""


class MobileOnly(Conflict):
    """A user with a Mobile licence has no phone on a desk."""


class DowngradeRefused(Conflict):
    """A smaller package needs a contract that runs and no curing period."""


class SecretsAreGiven(Conflict):
    """The SIP server's secrets are set by the PBX side and are never generated here."""


class CapacityExceeded(Conflict):
    """A DECT system has no room for what was asked."""


class LockedAbove(Conflict):
    """A value locked at a higher level cannot be overridden below it."""


class TrustTooLow(Conflict):
    """The model can never prove the trust its site asks for."""


class LastAdmin(Conflict):
    """An organisation keeps at least one admin who can log in."""


class OwnerIsFixed(Conflict):
    """The owner of an organisation is changed from the command line only."""


class StaleRevision(BrokenRule):
    """The thing was changed by someone else since it was read."""


class CursorExpired(BrokenRule):
    """The place in a feed that a cursor names is no longer known."""


class Unauthenticated(BrokenRule):
    """No valid credential came with the request."""


class WrongPin(BrokenRule):
    """The extension is nobody's, or the PIN is not theirs."""


class PinMustChange(BrokenRule):
    """The PIN has to be changed before it can be used at a phone."""


class Forbidden(BrokenRule):
    """The credential is good but does not carry the permission asked for."""


class WrongCredentials(Unauthenticated):
    """The e-mail, the password or the code is not the right one."""


class CodeRequired(Unauthenticated):
    """The password is right, and this login needs a code of its authenticator too."""


class MustChangePassword(Forbidden):
    """The password has to be changed before anything else."""


class MustEnrolTotp(Forbidden):
    """The organisation asks for codes of an authenticator, and this login has none."""


class WrongPassword(Forbidden):
    """The password asked for once more, inside a session, is not the right one."""


class MissingHeader(Forbidden):
    """A change came with a session's cookie but without the header that only our pages send."""


class TooManyAttempts(BrokenRule):
    """Too many passwords or codes were wrong; the next is judged after ``seconds``."""

    def __init__(self, what: str, *, remedy: str = "", field: str = "", seconds: int = 1) -> None:
        super().__init__(what, remedy=remedy, field=field, more={"seconds": seconds})
        self.seconds = seconds


class TooManyLogins(BrokenRule):
    """More people log in on phones at this moment than the server takes; it is worth a retry."""


class RightMissing(Forbidden):
    """A person has not the right or feature that this takes."""


class NobodysOwn(Forbidden):
    """The credential belongs to no user, so that there is nothing of their own."""


class WrongMethod(BrokenRule):
    """The address exists but does not take this method."""


class TooLarge(BrokenRule):
    """A body is larger than its endpoint takes."""


class UnsupportedMediaType(BrokenRule):
    """A body came in another form than the one its endpoint reads."""


class BadConfig(BrokenRule):
    """A server configuration value stops the start."""


class BadVendorFolder(BrokenRule):
    """A vendor folder breaks the schema and is disabled."""


class RenderFailed(BrokenRule):
    """A template did not give a complete file; nothing of it is served."""


class UnsafeValue(RenderFailed):
    """A value holds a character that its file's syntax cannot carry."""


class StaleLink(BrokenRule):
    """A phone asks for a linked file in a version that has passed."""


class StoreUnavailable(BrokenRule):
    """The database did not answer; the caller should try again."""


class MigrationNeeded(BrokenRule):
    """The database's schema is not the one this version works with."""


class BadCertificate(BrokenRule):
    """A certificate chain or key cannot be used as asked."""


class UnreadableSecret(BrokenRule):
    """A stored secret was not written with a key this server has, or was changed since."""
