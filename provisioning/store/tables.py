"""Every table in one import, for migrations and for whoever makes a session."""

from provisioning.store.audit import AuditEvent
from provisioning.store.base import Base
from provisioning.store.catalogue import (
    CallTarget,
    Category,
    CategoryOption,
    CostCentre,
    Licence,
    LicenceHolder,
    Number,
    UserNumber,
    UserOption,
)
from provisioning.store.changes import Feed, FeedChange
from provisioning.store.connectors import Connector
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    DectSystem,
    Device,
    DeviceIdentity,
    Station,
)
from provisioning.store.hotdesk import HotdeskSession
from provisioning.store.jobs import ImportJob
from provisioning.store.logins import Attempts, LoginSession, ResetLink
from provisioning.store.organisations import (
    ApiToken,
    Login,
    Membership,
    Organisation,
    Profile,
    Role,
    Site,
)
from provisioning.store.outbox import Reload, ServedFile
from provisioning.store.pacing import Pace, PhoneCalls
from provisioning.store.people import Contact, SipAccount, SipServer, User
from provisioning.store.pictures import Picture
from provisioning.store.security import DeviceTrust, Enrolment, Fetch, Pending
from provisioning.store.uploads import PhoneUpload
from provisioning.store.values import KeyValue, SettingValue

__all__ = [
    "ApiToken",
    "Assignment",
    "Attempts",
    "AuditEvent",
    "Base",
    "CallTarget",
    "Category",
    "CategoryOption",
    "Connector",
    "Contact",
    "CostCentre",
    "DectMember",
    "DectSlot",
    "DectSystem",
    "Device",
    "DeviceIdentity",
    "DeviceTrust",
    "Enrolment",
    "Feed",
    "FeedChange",
    "Fetch",
    "HotdeskSession",
    "ImportJob",
    "KeyValue",
    "Licence",
    "LicenceHolder",
    "Login",
    "LoginSession",
    "Membership",
    "Number",
    "Organisation",
    "Pace",
    "Pending",
    "PhoneCalls",
    "PhoneUpload",
    "Picture",
    "Profile",
    "Reload",
    "ResetLink",
    "Role",
    "ServedFile",
    "SettingValue",
    "SipAccount",
    "SipServer",
    "Site",
    "Station",
    "User",
    "UserNumber",
    "UserOption",
]
