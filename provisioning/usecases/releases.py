"""Whether the phone of an ended session let go of the person, and what is done if it did not.

The person is out in our truth at once (PROTOCOLS HD7). But a phone that was off, or cut off, keeps
the file it has, and with it the SIP password: so that is changed where it is ours. The person's
other phones and the PBX follow as with any change.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from provisioning.crypto.passwords import generate_password
from provisioning.domain.errors import StoreUnavailable
from provisioning.domain.kinds import Release, Secrets, SessionEnd
from provisioning.store import hotdesk, queries
from provisioning.store.authors import Author, written_by
from provisioning.store.database import Session
from provisioning.store.devices import Device, Station
from provisioning.store.hotdesk import GRACE, HotdeskSession
from provisioning.usecases.core import Core
from provisioning.usecases.current import is_current
from provisioning.usecases.purposes import PURPOSE_SIP
from provisioning.usecases.seats import SERVER, end_at

_BATCH = 100
"""Sessions looked at in one turn."""

_log = structlog.get_logger(__name__)


def look_after(core: Core) -> int:
    """Look at the phones of ended sessions that are due; how many were looked at.

    Each is looked at by one replica. A phone that has fetched what it should is done with. Of one
    that has not, the person's passwords are replaced where they are ours; where the PBX side gives
    them, the session shows that the phone still registers, until it comes back.
    """
    core.log.flush()  # what was served just now counts
    with core.database.read() as session:
        if not hotdesk.any_release_due(session, core.database.moment(session)):
            return 0
    with core.database.write() as session:
        claimed = hotdesk.claim_releases(session, core.database.moment(session), _BATCH)
    for row in claimed:
        try:
            _look_at(core, row)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one broken template holds no other session up
            _log.error("release-undecided", session=str(row.id), reason=str(error))
    return len(claimed)


def _look_at(core: Core, former: HotdeskSession) -> None:
    released = _has_let_go(core, former)
    with core.database.write() as session:
        written_by(session, Author(SERVER, former.organisation_id))
        hotdesk.take_seats(session, former.organisation_id)
        row = queries.by_id(session, HotdeskSession, former.id)
        if row is None or row.release_due_at is None:
            return  # somebody else was quicker, or the person is deleted
        if released or _sits_there(session, row):
            row.release = Release.RELEASED
        elif row.release == Release.PENDING:
            row.release = _take_away(core, session, row.user_id)
        waits = row.release == Release.REGISTERS
        row.release_due_at = core.database.moment(session) + GRACE if waits else None


def _has_let_go(core: Core, row: HotdeskSession) -> bool:
    """Whether all that the phone was served last is what it would be served now.

    Hashes are compared and no moments: the clocks of replicas may differ.
    """
    with core.database.read() as session:
        devices = hotdesk.devices_showing(session, [row.station_id])
        return all(is_current(core, session, session.get_one(Device, device)) for device in devices)


def _sits_there(session: Session, row: HotdeskSession) -> bool:
    """Whether the phone is to have the person's lines: they are back, or it is theirs."""
    here = hotdesk.open_at(session, [row.station_id]).get(row.station_id)
    if here is not None:
        return here.user_id == row.user_id
    return row.user_id in [a.user_id for a in queries.assignments_at(session, [row.station_id])]


def vacate(core: Core, session: Session, stations: Sequence[Station]) -> None:
    """End who sits at stations that are about to be deleted.

    Their sessions go along, so nobody can look later whether the phone let go of them, or of those
    who left a moment ago: what is ours of their passwords is replaced at once.
    """
    end_at(core, session, stations, SessionEnd.RETIRED)
    for user in hotdesk.pending_at(session, [station.id for station in stations]):
        _take_away(core, session, user)


def _take_away(core: Core, session: Session, user: UUID) -> Release:
    """Make the passwords that the phone has useless, as far as they are ours."""
    accounts = queries.accounts_of(session, users=[user])
    servers = queries.servers(session, [account.sip_server_id for account in accounts])
    given = False
    for account in accounts:
        if servers[account.sip_server_id].secrets == Secrets.OURS:
            account.password_encrypted = core.cipher.encrypt(generate_password(), PURPOSE_SIP)
        else:
            given = True
    return Release.REGISTERS if given else Release.ROTATED
