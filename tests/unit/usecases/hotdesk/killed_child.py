"""Seat somebody and be killed before a statement: number, user and station are the arguments."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any
from uuid import UUID

from sqlalchemy import event

from provisioning.crypto.digest import Nonces
from provisioning.crypto.passwords import Pins
from provisioning.crypto.secrets import Cipher
from provisioning.store import queries
from provisioning.store.database import Database
from provisioning.store.people import User
from provisioning.usecases import hotdesk
from provisioning.usecases.actors import local_actor
from provisioning.usecases.core import Core, Places
from provisioning.usecases.sightings import FetchLog
from provisioning.vendors.registry import Registry


def main() -> None:
    """Log in, and die before the statement of that number, the commit counted too."""
    at, user, station = int(sys.argv[1]), UUID(sys.argv[2]), UUID(sys.argv[3])
    database = Database(os.environ["ROOST_TEST_URL"])
    keys = (bytes(32),)
    core = Core(
        database=database,
        registry=Registry({}),
        cipher=Cipher(keys),
        pins=Pins(keys),
        nonces=Nonces(keys),
        places=Places(https="", http="", people=""),
        log=FetchLog(database),
    )
    with database.read() as session:
        person = queries.by_id(session, User, user)
        assert person is not None
        actor = local_actor(person.organisation_id)
    left = [at]

    def count(*_args: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, "before_cursor_execute", count)
    event.listen(database.engine, "commit", count)
    hotdesk.take(core, actor, user, station)


if __name__ == "__main__":
    main()
