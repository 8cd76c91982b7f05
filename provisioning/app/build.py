"""Building the core: folder, keys, CA, database, vendors, and the first organisation."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog

from provisioning.app.certificates import Listener
from provisioning.config import Config
from provisioning.config.addresses import EVERYWHERE
from provisioning.crypto.authority import Authority, alternative_name
from provisioning.crypto.chains import ChainKind
from provisioning.crypto.digest import Nonces
from provisioning.crypto.files import make_folder
from provisioning.crypto.passwords import Pins
from provisioning.crypto.secrets import Cipher, load_or_create_keys
from provisioning.domain.errors import BadCertificate, StoreUnavailable
from provisioning.outbound.reaching import reaching
from provisioning.store.database import Database
from provisioning.store.migrate import migrate, require_newest
from provisioning.usecases.core import Core, Places
from provisioning.usecases.organisations import prepare
from provisioning.usecases.sightings import FetchLog
from provisioning.vendors.registry import Registry, load_registry

_FIRST_LOGIN = "admin@example.com"

_log = structlog.get_logger(__name__)


def build(config: Config, authority: Authority | None = None) -> Core:
    """Everything the use cases need; makes at the first start what is not there yet.

    The one-time password of the first admin goes to stderr when it was made just now. Raises
    BadConfig, BadCertificate, StoreUnavailable, or MigrationNeeded for a PostgreSQL database that
    `provisioning migrate` has not brought up to date; a SQLite database is brought up here.
    """
    authority = authority or open_authority(config)
    keys = load_or_create_keys(config.secret_key_file)
    database = open_database(config)
    if database.is_sqlite:
        migrate(database)
    else:
        require_newest(database)
    core = Core(
        database=database,
        registry=load_vendors(config),
        cipher=Cipher(keys),
        pins=Pins(keys),
        nonces=Nonces(keys),
        places=places(config, authority),
        log=FetchLog(database, pending_cap=config.pending_cap),
        proxies=config.phones.proxies,
        reloads_per_second=config.reloads.per_second,
        reach=reaching(config.outbound.refuse),
    )
    _prepare_first_organisation(core, config)
    return core


def open_authority(config: Config) -> Authority:
    """Our own CA, made at the first start; raises BadConfig or BadCertificate."""
    make_folder(config.data_dir)
    return Authority.load_or_create(config.data_dir / "certs", datetime.now(UTC))


def open_database(config: Config) -> Database:
    """The database as it is, whatever its schema; raises BadConfig or StoreUnavailable."""
    make_folder(config.data_dir)
    database = Database(config.database_url)
    try:
        with database.read() as session:
            session.connection()
    except StoreUnavailable as error:
        reason = str(getattr(error.__cause__, "orig", "")).partition("\n")[0]
        raise StoreUnavailable(
            f"The database of database_url cannot be opened: {reason or error.what}.",
            remedy="Check PROVISIONING_DATABASE_URL and that the database runs.",
        ) from error
    return database


def load_vendors(config: Config) -> Registry:
    """All vendor folders; those that break the schema are logged and serve nobody."""
    registry = load_registry(config.vendor_roots)
    for name, reason in registry.disabled.items():
        _log.error("vendor-disabled", vendor=name, reason=reason)
    return registry


def places(config: Config, authority: Authority) -> Places:
    """Where phones and people reach us, and whose chain phones meet there."""
    return Places(
        https=config.public_url,
        http=config.public_http_url,
        people=config.people.public_url,
        https_is_public=authority.chain_kind(Listener.PHONES) is ChainKind.INSTALLED,
        ca_pem=authority.ca_pem.decode(),
    )


def own_names(config: Config) -> tuple[str, ...]:
    """The names our own chains are for: the public URLs' hosts, this host, fixed addresses."""
    return tuple(dict.fromkeys(_names(config)))


def _names(config: Config) -> Iterator[str]:
    for url in (config.public_url, config.public_http_url, config.people.public_url):
        if host := urlsplit(url).hostname:
            yield host
    try:
        alternative_name(socket.gethostname())
        yield socket.gethostname()
    except BadCertificate:
        _log.warning("hostname-not-certified", hostname=socket.gethostname())
    for host in (*config.phones.host, *config.people.host):
        if host not in EVERYWHERE:
            yield host


def _prepare_first_organisation(core: Core, config: Config) -> None:
    chosen = config.admin_password
    admin = prepare(
        core,
        email=config.admin_email or _FIRST_LOGIN,
        password=chosen.get_secret_value() if chosen else None,
    )
    if admin is not None and admin.password is not None:
        sys.stderr.write(
            f"The first admin is {admin.email} with the password {admin.password}\n"
            "It is shown this once and has to be changed at the first login.\n"
        )
