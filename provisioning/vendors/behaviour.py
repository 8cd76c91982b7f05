"""What phones do besides fetching their files: how they are told to, and what they keep at logout.

Parts of the schema of vendor.toml, as ``schema``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import ConfigDict

_STRICT = ConfigDict(extra="forbid", strict=False)


@dataclass(frozen=True, slots=True)
class HttpReload:
    """A request to the phone that makes it load its files anew.

    ``path`` and ``body`` may hold ``{user}`` and ``{password}``; the same two answer a challenge,
    Basic or Digest. ``{screen}`` is the URL of a screen of ours that makes the phone load its
    files when it opens it. ``listed`` says that a phone takes the request only once its file has
    let it, for which its place sets ``reload.http-from``. ``port`` is where the phone listens
    unless a model or a file says otherwise. ``user`` is whom the phone's password belongs to where
    that is always the same; ``says`` is what the body of a good answer holds, where the status
    alone does not tell.
    """

    __pydantic_config__ = _STRICT

    path: str
    method: Literal["GET", "POST"] = "GET"
    scheme: Literal["https", "http"] = "http"
    port: int = 80
    media_type: str = ""
    body: str = ""
    user: str = ""
    says: str = ""
    listed: bool = False

    @property
    def opens_screen(self) -> bool:
        """Whether it has the phone open a screen of ours."""
        return "{screen}" in self.path + self.body


@dataclass(frozen=True, slots=True)
class Reload:
    """How the vendor's phones are told to load their files anew.

    ``notify`` is the Event header (RFC 6665) of the gentlest NOTIFY that makes them fetch,
    ``reboot`` the one that restarts them; ``restarts`` says that only a restart makes them fetch,
    so that they are never told during a call; ``waits`` that a phone in a call waits for its end by
    itself when a NOTIFY comes. ``port`` is where they take SIP by UDP and TCP. ``http`` is a
    request they take instead. ``none`` says why there is neither. ``poll`` is the least number of
    minutes between two polls that their files can ask for, and what longer intervals are rounded up
    to; 0 where it is not known that they poll.
    """

    __pydantic_config__ = _STRICT

    notify: str = ""
    reboot: str = ""
    restarts: bool = False
    waits: bool = False
    port: int = 5060
    poll: int = 0
    http: HttpReload | None = None
    none: str = ""

    @property
    def by_restart(self) -> Reload:
        """The same for a phone that has to restart, where it is known how it is made to."""
        if not self.reboot:
            return self
        return replace(self, notify=self.reboot, http=None, restarts=True)


@dataclass(frozen=True, slots=True)
class Stays:
    """Something of the last person that no file takes off the phone.

    ``what`` names it, as the end of the sentence "At logout there stays: ..."; ``parameters`` are the patterns of
    the parameters that keep it, where it is in any.
    """

    __pydantic_config__ = _STRICT

    what: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logout:
    """What a phone keeps of the last person when a file for the next one has come (HD8).

    A phone keeps the value of a parameter that a later file does not name, so that files name the
    same ones whoever has the phone. What cannot be so is here, by patterns in which ``*`` stands
    for any text. ``forgets`` are parameters that the phone drops by itself when its file does not
    name them any more; ``harmless`` ones that stay and say nothing of a person, such as the port
    of an account that is off. ``stays`` is what people should know of.
    """

    __pydantic_config__ = _STRICT

    forgets: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    stays: tuple[Stays, ...] = ()
