"""Running the server: doors opened, signals heeded, doors closed."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import structlog
from aiohttp import web

from provisioning import systemd
from provisioning.app.build import build, load_vendors, open_authority, own_names, places
from provisioning.app.certificates import Certificates, Listener
from provisioning.app.tasks import Timers
from provisioning.app.telling import PhoneTeller
from provisioning.config import Config
from provisioning.crypto.authority import Authority
from provisioning.domain.errors import StoreUnavailable
from provisioning.domain.kinds import Way
from provisioning.doors.http.listeners import HttpListeners
from provisioning.doors.http.ops import ops_application
from provisioning.doors.http.people import people_application
from provisioning.doors.http.phones import phones_server
from provisioning.doors.tftp.server import TftpServer
from provisioning.doors.tls import ReloadableTls
from provisioning.outbound.asterisk import AsteriskTeller
from provisioning.outbound.freeswitch import FreeswitchTeller
from provisioning.outbound.http_action import HttpTeller
from provisioning.outbound.sip_notify import SipNotify
from provisioning.render.environment import environment
from provisioning.usecases import retention
from provisioning.usecases.core import Core
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.health import is_ready
from provisioning.usecases.importing import fail_unheard
from provisioning.usecases.releases import look_after
from provisioning.usecases.requests import FileReply, FileRequest
from provisioning.usecases.seats import end_leases

DRAIN_SECONDS = 10.0
"""How long requests and transfers have to end when the server stops."""

_FETCH_THREADS = 16
_FLUSH_SECONDS = 0.5
_LEASE_SECONDS = 15
"""How often sessions are ended whose lease is over, and the phones of ended ones looked at."""
_HOUR = 3600.0
_DAY = 24 * _HOUR

_log = structlog.get_logger(__name__)


def serve(config: Config) -> None:
    """Run the server until SIGTERM or SIGINT; raises what ``build`` raises and BadConfig."""
    _raise_descriptor_limit()
    authority = open_authority(config)
    core = build(config, authority)
    try:
        fail_unheard(core)
        asyncio.run(App(config, core, authority).run())
    finally:
        core.database.close()


def _raise_descriptor_limit() -> None:
    """Take as many descriptors as we may; each phone that fetches needs one."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class App:
    """The running server: its listeners, its timers, and what they share."""

    def __init__(self, config: Config, core: Core, authority: Authority) -> None:
        self._config = config
        self._core = core
        self._certificates = Certificates(authority, own_names(config))
        self._threads = ThreadPoolExecutor(_FETCH_THREADS, thread_name_prefix="fetch")
        self._timers = Timers()
        refuse = config.outbound.refuse
        self._sip = SipNotify(refuse)
        self._pbxs: dict[Way, AsteriskTeller | FreeswitchTeller] = {
            Way.ASTERISK: AsteriskTeller(refuse),
            Way.FREESWITCH: FreeswitchTeller(refuse),
        }
        self._teller = PhoneTeller(
            core, {Way.SIP: self._sip, Way.HTTP: HttpTeller(refuse), **self._pbxs}
        )
        self._http: list[HttpListeners] = []
        self._runners: list[web.AppRunner] = []
        self._tftp = TftpServer(self._answer)
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, stop."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        loop.add_signal_handler(signal.SIGHUP, self._begin_reload)
        try:
            await self.start()
            self._announce()
            systemd.notify(systemd.READY)
            await ended.wait()
            _log.info("stopping")
            systemd.notify(systemd.STOPPING)
        finally:
            await self.stop()

    # --- start

    async def start(self) -> None:
        """Open every door that is not switched off; raises BadConfig or BadCertificate."""
        config = self._config
        await self._start_phones()
        if config.tftp.port:
            for host in _usable(config.tftp.host):
                await self._tftp.start(host, config.tftp.port)
        if config.people.port:
            tls = self._certificates.tls(Listener.PEOPLE) if config.people.tls else None
            application = people_application(self._core)
            await self._start_application(
                application, Listener.PEOPLE, config.people.host, config.people.port, tls
            )
        if config.ops.port:
            application = ops_application(lambda: is_ready(self._core))
            await self._start_application(application, "ops", config.ops.host, config.ops.port)
        self._timers.every(_FLUSH_SECONDS, self._core.log.flush, "fetch-log")
        self._teller.start()
        self._timers.every(_LEASE_SECONDS, lambda: end_leases(self._core), "leases")
        self._timers.every(_LEASE_SECONDS, lambda: look_after(self._core), "releases")
        self._timers.every(_HOUR, self._trim, "retention")
        self._timers.every(_DAY, self._certificates.reload, "certificates")

    async def _start_phones(self) -> None:
        phones = self._config.phones
        listeners = HttpListeners(
            phones_server(self._answer), Listener.PHONES, proxies=phones.proxies
        )
        self._http.append(listeners)
        if phones.http_port:
            for host in _usable(phones.host):
                await listeners.start(host, phones.http_port)
        if phones.https_port:
            tls = self._certificates.tls(Listener.PHONES)
            for host in _usable(phones.host):
                await listeners.start(host, phones.https_port, tls)

    async def _start_application(
        self,
        application: web.Application,
        name: str,
        hosts: Sequence[str],
        port: int,
        tls: ReloadableTls | None = None,
    ) -> None:
        runner = web.AppRunner(application)
        await runner.setup()
        self._runners.append(runner)
        listeners = HttpListeners(cast("web.Server", runner.server), name)  # made by setup()
        self._http.append(listeners)
        for host in _usable(hosts):
            await listeners.start(host, port, tls)

    def _announce(self) -> None:
        config = self._config
        lines = {
            "HTTPS for phones": config.phones.https_port and config.public_url,
            "HTTP for phones": config.phones.http_port and config.public_http_url,
            "TFTP for phones": config.tftp.port and f"port {config.tftp.port}",
            "Pages and API": config.people.port and config.people.public_url,
        }
        for name, place in lines.items():
            if place:
                sys.stderr.write(f"{name + ':':<17} {place}\n")

    # --- while it runs

    async def _answer(self, request: FileRequest) -> FileReply:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._fetch, request)

    def _fetch(self, request: FileRequest) -> FileReply:
        registry = self._core.registry
        reply = fetch_file(self._core, request)
        if self._core.registry is not registry:
            # Rendered with vendor folders replaced meanwhile, and kept after the cache was cleared.
            self._core.cache.clear()
        return reply

    def _trim(self) -> None:
        kept = self._config.retention
        fail_unheard(self._core)
        retention.trim(self._core, fetch_days=kept.fetches, audit_days=kept.audit)

    def _begin_reload(self) -> None:
        task = asyncio.get_running_loop().create_task(self.reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def reload(self) -> None:
        """Read certificates and vendor folders anew; no connection is dropped."""
        async with self._reloading:
            systemd.notify(systemd.reloading())
            try:
                await asyncio.to_thread(self._read_anew)
                _log.info("reloaded", vendors=sorted(self._core.registry.vendors))
            except Exception:  # noqa: BLE001 - what served before the signal serves on
                _log.exception("reload-failed")
            systemd.notify(systemd.READY)

    def _read_anew(self) -> None:
        self._certificates.reload()
        registry = load_vendors(self._config)
        self._core.places = places(self._config, self._certificates.authority)
        self._core.registry = registry
        # A template is kept while its file is unchanged, even if an override has come before it.
        environment.cache_clear()
        self._core.cache.clear()

    # --- stop

    async def stop(self) -> None:
        """Accept nothing more, let requests and transfers end, write the fetch log."""
        await asyncio.gather(
            self._tftp.stop(DRAIN_SECONDS),
            *(listeners.stop(DRAIN_SECONDS) for listeners in self._http),
        )
        for runner in self._runners:
            await runner.cleanup()
        await self._teller.stop()
        await self._sip.close()
        for pbx in self._pbxs.values():
            pbx.close()
        await self._timers.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._flush_all)

    def _flush_all(self) -> None:
        try:
            while self._core.log.flush():
                pass
        except StoreUnavailable as error:
            _log.error("fetch-log-lost", reason=str(error))


def _usable(hosts: Sequence[str]) -> list[str]:
    """The hosts to listen on: without "every IPv6 address" where the kernel has no IPv6."""
    if "::" not in hosts or len(hosts) == 1:
        return list(hosts)
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return [host for host in hosts if host != "::"]
    return list(hosts)
