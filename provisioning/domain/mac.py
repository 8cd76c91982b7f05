"""The MAC address: parsed once at the door, twelve lower-case hex digits inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from provisioning.domain.errors import MalformedMac

_SEPARATORS = re.compile(r"[:\-. ]")
_TWELVE_HEX = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, order=True)
class Mac:
    """A device's MAC address.

    ``digits`` is the inside form (twelve lower-case hex digits); ``str()`` gives the outside
    form ``AA:BB:CC:DD:EE:FF``.
    """

    digits: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read any usual spelling: ``001565aabbcc``, ``00:15:65:AA:BB:CC``, ``0015.65aa.bbcc``.

        Raises MalformedMac for everything else, the all-zero and the broadcast address included:
        no phone has them, and phones with a broken flash send the former.
        """
        digits = _SEPARATORS.sub("", text.strip()).lower()
        if not _TWELVE_HEX.fullmatch(digits):
            raise MalformedMac(
                f"'{text[:40]}' is not a MAC address.",
                remedy="Write twelve hexadecimal digits, for example 00:15:65:AA:BB:CC.",
                field="mac",
            )
        if digits in ("0" * 12, "f" * 12):
            raise MalformedMac(
                f"'{text[:40]}' is a MAC address no device has.",
                remedy="Read it from the label of the phone.",
                field="mac",
            )
        return cls(digits)

    @property
    def oui(self) -> str:
        """The first six digits, which name the maker (IEEE OUI)."""
        return self.digits[:6]

    @property
    def upper(self) -> str:
        """Twelve upper-case hex digits, as some vendors write file names."""
        return self.digits.upper()

    def __str__(self) -> str:
        upper = self.upper
        return ":".join(upper[i : i + 2] for i in range(0, 12, 2))
