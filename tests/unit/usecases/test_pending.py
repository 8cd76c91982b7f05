"""Unknown MACs: who sees them, and how they become devices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.domain.errors import Forbidden, MalformedMac, NotFound
from provisioning.domain.roles import Permission
from provisioning.store.security import Pending
from provisioning.usecases.actors import Actor
from provisioning.usecases.pending import approve_pending, discard_pending, list_pending

MAC = "001565000001"


@pytest.fixture
def waiting(core, clock, actor, neighbour) -> None:
    """One unknown MAC of each organisation and one of none, in the order they came."""
    with core.database.write() as session:
        for number, organisation in enumerate((actor.organisation, neighbour.organisation, None)):
            clock.turn(minutes=1)
            session.add(
                Pending(
                    mac=f"00156500000{number + 1}",
                    organisation_id=organisation,
                    vendor="yealink",
                    model="T54W",
                    address="192.0.2.1",
                    last_seen_at=clock.now,
                )
            )


@pytest.fixture
def admin(actor) -> Actor:
    """An admin of the first organisation, who does not run the server."""
    return replace(actor, permissions=actor.permissions - {Permission.OPERATE})


@pytest.mark.usefixtures("waiting")
def test_everybody_sees_their_own(core, actor, admin, neighbour):
    """An admin sees the organisation's, an operator also those of none, the latest first."""
    assert [row.mac[-1] for row in list_pending(core, admin)] == ["1"]
    assert [row.mac[-1] for row in list_pending(core, actor)] == ["3", "1"]
    assert [row.mac[-1] for row in list_pending(core, neighbour)] == ["3", "2"]
    assert [row.mac[-1] for row in list_pending(core, actor, limit=1)] == ["3"]


@pytest.mark.usefixtures("waiting")
def test_approved_device_is_registered_as_what_it_told(core, admin):
    """Approving registers the device with its vendor and model, and it waits no longer."""
    made = approve_pending(core, admin, "00:15:65:00:00:01", name="Desk 9")
    assert (made.device.vendor, made.device.name) == ("yealink", "Desk 9")
    assert (made.device.model, made.device.model_confirmed) == ("T54W", False)
    assert list_pending(core, admin) == []
    with pytest.raises(NotFound):
        approve_pending(core, admin, MAC)


@pytest.mark.usefixtures("waiting")
def test_admin_knows_better(core, admin):
    """A vendor or model given with the approval counts more than what the device told."""
    made = approve_pending(core, admin, MAC, vendor="snom")
    assert (made.device.vendor, made.device.model) == ("snom", None)


@pytest.mark.usefixtures("waiting")
def test_discarded_mac_is_forgotten(core, admin):
    """A discarded MAC is gone until it asks again."""
    discard_pending(core, admin, MAC)
    assert list_pending(core, admin) == []
    with pytest.raises(NotFound):
        discard_pending(core, admin, MAC)


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("mac", ["001565000002", "001565000003", "001565000004"])
def test_what_one_may_not_see_is_not_found(core, admin, mac):
    """Another organisation's, nobody's and unknown MACs look alike to an admin."""
    for act in (approve_pending, discard_pending):
        with pytest.raises(NotFound):
            act(core, admin, mac)


@pytest.mark.usefixtures("waiting")
def test_pending_needs_permission(core, actor):
    """Reading and registering need their rights, and a MAC has to be one."""
    nobody = Actor("nobody", actor.organisation, frozenset())
    with pytest.raises(Forbidden):
        list_pending(core, nobody)
    for act in (approve_pending, discard_pending):
        with pytest.raises(Forbidden):
            act(core, nobody, MAC)
        with pytest.raises(MalformedMac):
            act(core, actor, "not a MAC")
