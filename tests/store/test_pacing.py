"""What replicas share while they tell phones: the pace, and which phones are in a call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from provisioning.store import pacing
from provisioning.store.devices import Device

AT = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_instants_keep_the_pace_of_all_replicas(database):
    """However many ask, no two instants are the same and no second has more than its share."""

    def take(_number):
        with database.write() as session:
            return pacing.hand_out(session, 5, AT, 50)

    with ThreadPoolExecutor(4) as threads:
        instants = sorted(moment for part in threads.map(take, range(20)) for moment in part)
    assert instants == [AT + number * timedelta(milliseconds=20) for number in range(100)]
    with database.write() as session:
        later = AT + timedelta(hours=1)
        assert pacing.hand_out(session, 1, later, 50) == [later]


def test_hd6_call_without_an_end_ends_after_four_hours(database, rows):
    """A call nobody told the end of holds a reload back for four hours, whatever calls follow."""
    here = rows.organisation("here")
    device = rows.plant(Device, here)
    hours = [AT + timedelta(hours=number) for number in range(6)]
    with database.write() as session:
        for hour in hours[:4]:
            pacing.call_began(session, here, device, hour)
            assert pacing.in_call(session, [device], hour)
            if hour != hours[0]:
                pacing.call_ended(session, device)
        assert pacing.in_call(session, [device], hours[4] - SECOND)
        assert not pacing.in_call(session, [device], hours[4])
        pacing.call_began(session, here, device, hours[5])
        assert pacing.in_call(session, [device], hours[5])
        pacing.call_ended(session, device)
        assert not pacing.in_call(session, [device], hours[5])
