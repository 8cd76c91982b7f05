"""How surely a requester is the device it names, and what that is enough for (DESIGN section 8)."""

from __future__ import annotations

from enum import IntEnum


class Grade(IntEnum):
    """The grades of proof, weakest first; comparing them is the whole rule of enough."""

    NONE = 0
    """A MAC in a name, which anybody can type."""
    NETWORK = 1
    """The source address lies in the networks of the device's site."""
    TOKEN = 2
    """The device's own provisioning URL."""
    PASSWORD = 3
    """The device's own user name and password, by Digest or by Basic over TLS."""
    CERTIFICATE = 4
    """A factory certificate whose MAC is the requested MAC."""

    @property
    def word(self) -> str:
        """The grade as configuration, API and pages spell it."""
        return self.name.lower()


GRADES = {grade.word: grade for grade in Grade}
