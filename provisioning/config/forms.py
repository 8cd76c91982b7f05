"""The forms a configuration value can have, and how each is read from TOML or the environment.

The environment knows texts only and TOML has types, so that every form takes both: ``8080`` and
``"8080"``, ``["::1"]`` and ``"127.0.0.1,::1"``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import PlainValidator, SecretStr

from provisioning.domain.settings import is_host

_LOG_LEVELS = ("debug", "info", "warning", "error")
_DATABASE = re.compile(r"sqlite:///.+|postgresql(\+psycopg)?://.+")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class Form:
    """What a key takes, as a clause that follows "Give"; a secret's value is never shown."""

    allowed: str
    secret: bool = False


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError
    return value.strip()


def _whole(minimum: int, maximum: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        # In Python True is an int; in TOML it is no port.
        if type(value) is int and minimum <= value <= maximum:
            return value
        raise ValueError

    return parse


def _matching(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        text = _text(value)
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return parse


def _members(value: object) -> list[str]:
    """The members of a list, which is a TOML array, JSON or a text with commas."""
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - pydantic takes ValueError for a refusal
    return [_text(member) for member in value]


def _hosts(value: object) -> tuple[str, ...]:
    hosts = tuple(dict.fromkeys(_host(member) for member in _members(value)))
    if not hosts:
        raise ValueError
    return hosts


def _host(text: str) -> str:
    if ":" in text or re.fullmatch(r"[0-9.]+", text):
        return str(ip_address(text))
    if not is_host(text):
        raise ValueError
    return text.lower()


def _networks(value: object) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(member) for member in _members(value))


def _path(value: object) -> Path:
    try:
        return Path(_text(value)).expanduser().absolute()
    except RuntimeError:  # the home of a user there is not
        raise ValueError from None


def _existing_folder(value: object) -> Path:
    path = _path(value)
    try:
        if path.is_dir():
            return path
    except OSError:  # its name is too long, or nobody may look
        pass
    raise ValueError


def _base_url(*schemes: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        text = _text(value).removesuffix("/")
        parts = urlsplit(text)
        host = parts.hostname or ""
        if parts.scheme not in schemes or "@" in parts.netloc or not is_host(host):
            raise ValueError
        if parts.port == 0 or text != f"{parts.scheme}://{parts.netloc}":
            raise ValueError
        return text

    return parse


def _log_level(value: object) -> str:
    text = _text(value).lower()
    if text not in _LOG_LEVELS:
        raise ValueError
    return text


def _password(value: object) -> SecretStr:
    _text(value)
    return SecretStr(str(value))  # blanks around it belong to it


Port = Annotated[
    int,
    PlainValidator(_whole(0, 65535)),
    Form("a port 1 to 65535, or 0 to switch the listener off"),
]
Hosts = Annotated[
    tuple[str, ...],
    PlainValidator(_hosts),
    Form("a list of IP addresses or host names, for example 127.0.0.1,::1"),
]
Networks = Annotated[
    tuple[IPv4Network | IPv6Network, ...],
    PlainValidator(_networks),
    Form("a list of networks such as 192.0.2.0/24, without host bits"),
]
Folder = Annotated[Path, PlainValidator(_path), Form("the path of a folder")]
ExistingFolder = Annotated[
    Path | None, PlainValidator(_existing_folder), Form("the path of a folder that exists")
]
File = Annotated[Path, PlainValidator(_path), Form("the path of a file")]
DatabaseUrl = Annotated[
    str,
    PlainValidator(_matching(_DATABASE)),
    Form("sqlite:////path/roost.db or postgresql://user:password@host/name", secret=True),
]
HttpsUrl = Annotated[
    str,
    PlainValidator(_base_url("https")),
    Form("a URL such as https://phones.example.com:8443, without a path"),
]
HttpUrl = Annotated[
    str,
    PlainValidator(_base_url("http")),
    Form("a URL such as http://phones.example.com:8080, without a path"),
]
AnyUrl = Annotated[
    str,
    PlainValidator(_base_url("http", "https")),
    Form("a URL such as https://roost.example.com, without a path"),
]
Days = Annotated[int, PlainValidator(_whole(1, 3650)), Form("a whole number of days, 1 to 3650")]
Count = Annotated[int, PlainValidator(_whole(0, 1_000_000)), Form("a whole number 0 to 1000000")]
Email = Annotated[str | None, PlainValidator(_matching(_EMAIL)), Form("an e-mail address")]
Password = Annotated[
    SecretStr | None,
    PlainValidator(_password),
    Form("a password that is not empty, or leave it out to have one made", secret=True),
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    PlainValidator(_log_level),
    Form("one of " + ", ".join(_LOG_LEVELS)),
]
