"""A virtual phone: asks in its dialect's order, keeps what it is given, follows where it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from provisioning.domain.errors import BadCertificate
from provisioning.domain.mac import Mac
from provisioning.render.syntax import FORMS
from provisioning.simulate.agents import user_agent
from provisioning.simulate.fetching import Fetched, Trust, fetch, place_of
from provisioning.simulate.following import next_place
from provisioning.simulate.report import Asked, BootReport
from provisioning.simulate.shown import Place, Shown, shown, without_empty
from provisioning.vendors import grammar
from provisioning.vendors.load import Vendor
from provisioning.vendors.match import read_name
from provisioning.vendors.reading import fits, parameter
from provisioning.vendors.schema import BootStep

_MOST_REQUESTS = 50
"""Of one boot; files that name each other would never end it."""


@dataclass
class _Boot:
    """One boot under way."""

    requests: list[Asked] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    urls: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    over: bool = False


class VirtualPhone:
    """A phone of one vendor and model.

    It keeps its settings from boot to boot, as real ones do: a file that omits a parameter leaves
    it as it was. ``base_url`` is what a person typed in or DHCP told it (http, https or tftp);
    ``ca`` a PEM certificate it trusts from the start, ``source`` its own address. A model nobody knows asks for what such a
    phone would. Raises UnknownModel never, InvalidInput for a URL that is none, BadCertificate.
    """

    def __init__(
        self, vendor: Vendor, model: str, mac: Mac | None, base_url: str,
        *, firmware: str = "", ca: str = "", source: str = "",
    ) -> None:  # fmt: skip
        self.vendor = vendor
        self.model = vendor.model(model) if model else None
        self.mac = mac
        agent = user_agent(vendor, self.model, mac, firmware)
        self.user_agent = agent.text
        self.firmware = agent.firmware
        self.source = source
        self.parameters: dict[str, str] = {}
        self._named: dict[str, set[str]] = {}
        self._trust = Trust(public=vendor.data.tls.public)
        if ca:
            self._trust.add(ca)
        self.place = self._without_file(place_of(base_url))

    def _without_file(self, place: Place) -> Place:
        """A place ends with a slash; the name of a file typed in behind it is left out."""
        before, _, last = place.url.rpartition("/")
        known = last and read_name(self.vendor, last, self.model, self.firmware)
        url = before if known else place.url.rstrip("/")
        return Place(f"{url}/", place.user, place.password)

    async def boot(self) -> BootReport:
        """Ask for everything a booting phone asks for, at the place it knows."""
        boot = _Boot()
        for step in self._steps():
            left_out = step.unless in boot.found or (step.needs and step.needs not in boot.found)
            name = self._name(step.name)
            if boot.over or left_out or name is None:
                continue
            if await self._get(boot, self._url(name)):
                boot.found.add(step.name)
        await self._take_ca(boot)
        after = self._next()
        return BootReport(
            url=self.place.url,
            user_agent=self.user_agent,
            requests=tuple(boot.requests),
            shown=shown(self.parameters, self.vendor, self.model),
            next_url=after.url if after else self.place.url,
            problems=tuple(boot.problems),
        )

    async def reboot(self) -> BootReport:
        """Boot again, from where the files sent the phone."""
        self.place = self._next() or self.place
        return await self.boot()

    async def log_in(self, name: str, pin: str) -> Shown | None:
        """Log somebody in by the phone's own log-in; what it shows until they leave.

        None where it has no such log-in, or is not given the person's files. Its own stay as they are.
        """
        rules = self.vendor.data.readback
        folder = self._held().get(parameter(rules.users), "") if rules and rules.users else ""
        native = self.vendor.native(self.model, self.firmware)
        if native is None or not folder:
            return None
        above = dict(self.parameters)
        for pattern in (native.file, native.uploads):
            url, place = folder + pattern.replace("{user}", name), Place(folder, name, pin)
            answer = await fetch(
                url, agent=self.user_agent, trust=self._trust, place=place, source=self.source
            )
            if answer.status != 200:
                return None
            found = FORMS[native.syntax].parse(answer.content.decode("utf-8"))
            above |= {key.lower(): value for key, value in found}
        return shown(above, self.vendor, self.model)

    def _next(self) -> Place | None:
        """Where the files sent the phone; some say it with the name of the phone's file."""
        place = next_place(self._held(), self.vendor.data)
        return self._without_file(place) if place else None

    def _held(self) -> dict[str, str]:
        rules = self.vendor.data.readback
        return without_empty(self.parameters, rules) if rules else dict(self.parameters)

    # --- what it asks for

    def _steps(self) -> Iterator[BootStep]:
        files = tuple(BootStep(rule.id) for rule in self.vendor.data.files if not rule.phonebook)
        yield from self.vendor.data.steps or files

    def _name(self, step: str) -> str | None:
        """The name of a file this phone takes, or of one it merely asks for."""
        rules = self.vendor.data.files
        pattern = next((rule.pattern for rule in rules if rule.id == step), step)
        taken = {rule.id for rule in self.vendor.rules_for(self.model, self.firmware)}
        if step in {rule.id for rule in rules} - taken:
            return None
        traits = {**self.vendor.data.traits, **(self.model.traits if self.model else {})}
        model = self.model.in_files if self.model else ""
        return grammar.emit(pattern, mac=self.mac, model=model, traits=traits)

    def _url(self, link: str) -> str:
        """Where a name or a URL in a file leads; ``urljoin`` knows no TFTP."""
        return link if "://" in link else self.place.url + link.lstrip("/")

    # --- what it does with the answers

    async def _get(self, boot: _Boot, url: str) -> bool:
        """Fetch a URL once, take its parameters, then what it links to; whether it was found."""
        if url in boot.urls or len(boot.urls) >= _MOST_REQUESTS or boot.over:
            return False
        boot.urls.add(url)
        answer = await self._fetch(boot, url)
        if answer.status != 200:
            return False
        for link in self._take(boot, url, answer):
            await self._get(boot, self._url(link))
        return True

    async def _fetch(self, boot: _Boot, url: str) -> Fetched:
        answer = await fetch(
            url, agent=self.user_agent, trust=self._trust, place=self.place, source=self.source
        )
        name = urlsplit(url).path.rpartition("/")[2]
        boot.requests.append(Asked(name, answer.status, len(answer.content)))
        if answer.problem:
            boot.problems.append(f"{name}: {answer.problem}.")
            boot.over = True
        elif answer.status not in (200, 404):
            boot.problems.append(f"{name}: answered {answer.status}; a phone tries again later.")
            boot.over = answer.status >= 500
        return answer

    def _take(self, boot: _Boot, url: str, answer: Fetched) -> list[str]:
        """Keep a file's parameters; the further files it names."""
        name = urlsplit(url).path.rpartition("/")[2]
        named = read_name(self.vendor, name, self.model, self.firmware)
        if named is None or named.rule is None:
            boot.problems.append(f"{name}: got a file whose form nobody described.")
            return []
        form = FORMS[named.rule.syntax]
        try:
            text = answer.content.decode("utf-8")
            found = form.parse(text)
            links = form.links(text) if form.links else []
        except ValueError as error:
            boot.problems.append(f"{name}: the phone cannot read it: {error}.")
            return []
        self._keep(named.rule.id, {key.lower(): value for key, value in found})
        return links

    def _keep(self, rule: str, found: dict[str, str]) -> None:
        """Take a file's parameters; forget what its last version named, where such phones do."""
        gone = self._named.get(rule, set()) - found.keys()
        for name in gone:
            if fits(self.vendor.data.logout.forgets, name):
                self.parameters.pop(name, None)
        self._named[rule] = set(found)
        self.parameters.update(found)

    async def _take_ca(self, boot: _Boot) -> None:
        """Trust the CA the files hand over, by URL or as it is."""
        rules = self.vendor.data.readback
        held = self._held().get(parameter(rules.ca), "") if rules and rules.ca else ""
        if "://" in held:
            answer = await self._fetch(boot, held)
            held = answer.content.decode("ascii", "replace") if answer.status == 200 else ""
        if not held:
            return
        if "-----BEGIN" not in held:
            held = f"-----BEGIN CERTIFICATE-----\n{held}\n-----END CERTIFICATE-----\n"
        try:
            self._trust.add(held)
        except BadCertificate as error:
            boot.problems.append(f"The phone cannot use the CA it was given: {error}")
