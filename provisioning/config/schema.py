"""Every key of the configuration, with its form, its default and what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from provisioning.config.addresses import EVERYWHERE, only_loopback, reachable_url
from provisioning.config.forms import (
    AnyUrl,
    Count,
    DatabaseUrl,
    Days,
    Email,
    ExistingFolder,
    File,
    Folder,
    Form,
    Hosts,
    HttpsUrl,
    HttpUrl,
    LogLevel,
    Networks,
    Password,
    Port,
)
from provisioning.domain.errors import BadConfig
from provisioning.vendors.folders import shipped_root

PREFIX = "PROVISIONING_"

_HERE = "127.0.0.1"
_USER_INFO = re.compile(r"//[^/@\s]*@")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Phones(_Section):
    """The listeners phones fetch their files from by HTTP and HTTPS."""

    host: Hosts = EVERYWHERE
    """Addresses of both listeners."""
    http_port: Port = 8080
    """Port of plain HTTP."""
    https_port: Port = 8443
    """Port of HTTPS."""
    proxies: Networks = ()
    """Networks of proxies: an address of theirs is nobody's network and has no cap of its own."""


class Tftp(_Section):
    """The TFTP listener."""

    host: Hosts = EVERYWHERE
    """Addresses of TFTP."""
    port: Port = 6969
    """UDP port of TFTP."""


def _people_url(data: dict[str, Any]) -> str:
    scheme = "http" if only_loopback(data["host"]) else "https"
    return reachable_url(scheme, data["host"], data["port"])


class People(_Section):
    """The listener of the API and the pages."""

    host: Hosts = (_HERE,)
    """Addresses of the API and the pages; it speaks HTTPS unless all of them are loopback."""
    port: Port = 8000
    """Port of the API and the pages."""
    public_url: AnyUrl = Field(default_factory=_people_url)
    """How people reach the API and the pages; derived from its host and port when unset."""

    @property
    def tls(self) -> bool:
        """Whether the listener speaks HTTPS: always, except where only this machine reaches it."""
        return not only_loopback(self.host)


class Ops(_Section):
    """The listener of health checks and metrics."""

    host: Hosts = (_HERE,)
    """Addresses of health checks and metrics."""
    port: Port = 9000
    """Port of health checks and metrics."""


class Retention(_Section):
    """How long what happened is remembered."""

    fetches: Days = 30
    """Days the fetch log is kept."""
    audit: Days = 365
    """Days the audit log is kept."""


class Reloads(_Section):
    """How phones are told to load their files anew."""

    per_second: Count = 50
    """How many phones are told in a second, by all processes of one database together; 0: none is told."""


_NOBODY_ELSES = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
        "::/127", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip
"""This machine itself, link-local addresses (a cloud's metadata among them), multicast, reserved."""


class Outbound(_Section):
    """What the server connects to by itself: PBXs and phones."""

    refuse: Networks = _NOBODY_ELSES
    """Networks it never connects to for anybody; shorten it for PBXs or phones on this machine."""


class Config(_Section):
    """The whole configuration, checked and complete."""

    data_dir: Folder = Field(default_factory=lambda: Path("data").absolute())
    """Folder of the database, keys and certificates; made at the first start."""
    database_url: DatabaseUrl = Field(
        default_factory=lambda data: f"sqlite:///{data['data_dir']}/roost.db", repr=False
    )
    """Where everything is stored; SQLite in the data folder when unset."""
    secret_key_file: File = Field(default_factory=lambda data: data["data_dir"] / "secret.key")
    """File of the key that encrypts stored secrets; in the data folder when unset."""
    vendor_folder: ExistingFolder = None
    """Your own vendor folders, which override the shipped ones file by file."""
    phones: Phones = Phones()
    tftp: Tftp = Tftp()
    people: People = Field(default_factory=People)
    ops: Ops = Ops()
    retention: Retention = Retention()
    reloads: Reloads = Reloads()
    outbound: Outbound = Outbound()
    public_url: HttpsUrl = Field(default_factory=lambda data: _phones_url("https", data))
    """How phones reach this server by HTTPS; derived from the phones' listener when unset."""
    public_http_url: HttpUrl = Field(default_factory=lambda data: _phones_url("http", data))
    """How phones reach this server by HTTP; derived from the phones' listener when unset."""
    pending_cap: Count = 1000
    """How many unknown MAC addresses are remembered for an admin to register."""
    admin_email: Email = None
    """Login of the first admin."""
    admin_password: Password = None
    """Password of the first admin; when unset one is made and printed once."""
    log_level: LogLevel = "info"
    """The least severe messages that go to the log on stderr."""

    @property
    def vendor_roots(self) -> tuple[Path, ...]:
        """The folders vendors are looked up in; the first overrides the later."""
        own = (self.vendor_folder,) if self.vendor_folder else ()
        return (*own, shipped_root())


def _phones_url(scheme: str, data: dict[str, Any]) -> str:
    phones: Phones = data["phones"]
    port = phones.https_port if scheme == "https" else phones.http_port
    return reachable_url(scheme, phones.host, port)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its path in the TOML file, what it is for, what it takes, its plain default.

    ``default`` is None where there is none or where it is derived; ``help`` then says so.
    """

    path: str
    help: str
    form: Form
    default: object

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.path.replace(".", "__").upper()

    def refuse(self, value: object) -> BadConfig:
        """The error for a value the key does not take, on one line."""
        shown = "the value given" if self.form.secret else _USER_INFO.sub("//***@", repr(value))
        return BadConfig(
            f"{self.path} ({self.variable}) cannot be {shown[:80]}.",
            remedy=f"Give {self.form.allowed}.",
            field=self.path,
        )


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[Key]:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, _Section):
            yield from _keys(kind, f"{prefix}{name}.")
        else:
            form = next(item for item in field.metadata if isinstance(item, Form))
            default = None if field.default_factory else field.default
            yield Key(prefix + name, field.description or "", form, default)


KEYS = {key.path: key for key in _keys(Config)}
"""Every key there is, by its path in the TOML file."""
