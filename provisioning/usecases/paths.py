"""The prefixes of a phone's path, which carry its credential; read the same way at every door."""

from __future__ import annotations

import re
from collections.abc import Callable

from provisioning.usecases.requests import (
    Challenged,
    Credential,
    OrganisationCredential,
    ScreenCredential,
    TokenCredential,
)

_TOKEN_PREFIX = re.compile(r"([tos])/([A-Za-z0-9_-]{1,128})/")
_KINDS: dict[str, Callable[[str], Credential]] = {
    "t": TokenCredential,
    "o": OrganisationCredential,
    "s": ScreenCredential,
}
_CHALLENGED_PREFIX = "a/"


def split_path(path: str) -> tuple[Credential | None, str]:
    """Take the credential off the front of a decoded path and return it with the rest.

    ``t/{token}/`` gives a TokenCredential, ``o/{org_token}/`` an OrganisationCredential,
    ``s/{token}/`` a ScreenCredential and ``a/`` Challenged; the letter's case is exact and only the first prefix counts. A prefix whose
    token has a wrong form is none: the path then comes back whole, and no vendor's grammar knows
    it. Leading slashes go before and behind the prefix, since phones join a URL that ends in a
    slash to a name that begins with one. Never raises.
    """
    bare = path.lstrip("/")
    if match := _TOKEN_PREFIX.match(bare):
        kind, token = match.groups()
        rest = bare[match.end() :].lstrip("/")
        return _KINDS[kind](token), rest
    if bare.startswith(_CHALLENGED_PREFIX):
        return Challenged(), bare.removeprefix(_CHALLENGED_PREFIX).lstrip("/")
    return None, bare
