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
from provisioning.store.devices import (
    Assignment,
    DectMember,
    DectSlot,
    DectSystem,
    Device,
    DeviceIdentity,
    Station,
)
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
from provisioning.store.people import Contact, SipAccount, SipServer, User
from provisioning.store.security import DeviceTrust, Enrolment, Fetch, Pending
from provisioning.store.values import KeyValue, SettingValue

__all__ = [
    "ApiToken",
    "Assignment",
    "AuditEvent",
    "Base",
    "CallTarget",
    "Category",
    "CategoryOption",
    "Contact",
    "CostCentre",
    "DectMember",
    "DectSlot",
    "DectSystem",
    "Device",
    "DeviceIdentity",
    "DeviceTrust",
    "Enrolment",
    "Fetch",
    "KeyValue",
    "Licence",
    "LicenceHolder",
    "Login",
    "Membership",
    "Number",
    "Organisation",
    "Pending",
    "Profile",
    "Reload",
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
