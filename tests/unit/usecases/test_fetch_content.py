"""What a device's file says: people, guests, blocked devices, settings, and what is broken."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest

from provisioning.domain.errors import RenderFailed
from provisioning.domain.settings import Level
from provisioning.render.syntax import FORMS
from provisioning.store import queries
from provisioning.store.devices import Device
from provisioning.usecases import (
    assignments,
    devices,
    registering,
    serving,
    settings,
    sip,
    users,
)
from provisioning.usecases import keys as layouts
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import Door, FileRequest, Outcome, TokenCredential
from provisioning.vendors.schema import Syntax


def parameters(reply) -> dict[str, str]:
    """A Yealink file as the phone reads it: the last of a name wins."""
    return dict(FORMS[Syntax.YEALINK].parse(reply.content.decode()))


def proven(desk):
    """Fetch the device's file by its token."""
    url = devices.provisioning_urls(desk.core, desk.actor, desk.device).token_url
    token = url.rstrip("/").rpartition("/")[2]
    return desk.fetch(credential=TokenCredential(token), door=Door.HTTPS)


def test_one_user_is_one_line(desk):
    """The assigned user's account, name and password are the first line of the phone."""
    file = parameters(proven(desk))
    assert file["account.1.user_name"] == "1001"
    assert file["account.1.display_name"] == "Ada Lovelace"
    assert len(file["account.1.password"]) >= 12
    assert file["account.2.enable"] == "0"


def test_several_users_share_in_order(desk, add_person):
    """Several assigned users have one line each, in the order given."""
    grace = add_person("Grace", "1002")
    assignments.assign_device(desk.core, desk.actor, desk.device, [grace, desk.user])
    file = parameters(proven(desk))
    assert (file["account.1.user_name"], file["account.2.user_name"]) == ("1002", "1001")


def test_a_device_without_user_gets_its_guest_file(desk):
    """A registered device nobody is assigned to is served, with no line and nobody's data."""
    assignments.assign_device(desk.core, desk.actor, desk.device, [])
    reply = proven(desk)
    assert reply.outcome is Outcome.SERVED
    assert b"1001" not in reply.content
    assert b"Ada" not in reply.content
    assert parameters(reply)["account.1.enable"] == "0"


def test_a_deleted_user_leaves_the_phone(desk):
    """When a user is deleted the phone falls to its guest file at the next fetch."""
    assert parameters(proven(desk))["account.1.enable"] == "1"
    users.delete_user(desk.core, desk.actor, desk.user)
    assert parameters(proven(desk))["account.1.enable"] == "0"


def test_a_disabled_user_has_no_line(desk):
    """A disabled user's line is gone, and comes back with them."""
    users.change_user(desk.core, desk.actor, desk.user, {"enabled": False})
    assert parameters(proven(desk))["account.1.enable"] == "0"
    users.change_user(desk.core, desk.actor, desk.user, {"enabled": True})
    assert parameters(proven(desk))["account.1.enable"] == "1"


def test_a_rename_is_in_the_next_fetch(desk):
    """An adopted device's cached file is never older than what was changed."""
    first = proven(desk)
    assert proven(desk).content == first.content
    users.change_user(desk.core, desk.actor, desk.user, {"first_name": "Augusta"})
    renamed = proven(desk)
    assert b"Augusta Lovelace" in renamed.content
    assert renamed.etag != first.etag


@pytest.mark.parametrize("level", [Level.ORGANISATION, Level.SITE, Level.DEVICE, Level.USER])
def test_a_setting_at_any_level_is_in_the_next_fetch(desk, level):
    """A language set for organisation, site, device or user reaches the phone at once."""
    proven(desk)
    with desk.core.database.read() as session:
        device = queries.by_id(session, Device, desk.device)
    owner = {
        Level.ORGANISATION: device.organisation_id,
        Level.SITE: device.site_id,
        Level.DEVICE: device.id,
        Level.USER: desk.user,
    }[level]
    settings.set_values(desk.core, desk.actor, level, owner, {"language": "de"})
    assert parameters(proven(desk))["lang.gui"] == "German"


def test_a_person_never_moves_the_place(desk):
    """A user's time zone moves their clock, but no two users' zones fight over a shared phone."""
    values = {"time.zone": "America/New_York"}
    settings.set_values(desk.core, desk.actor, Level.USER, desk.user, values)
    assert parameters(proven(desk))["local_time.time_zone"] == "-5"
    other = users.add_user(desk.core, desk.actor, first_name="Grace", extension="1002").user.id
    assignments.assign_device(desk.core, desk.actor, desk.device, [desk.user, other])
    assert parameters(proven(desk))["local_time.time_zone"] == "0"


# --- blocked and retired


def test_a_blocked_device_is_blanked_once(desk):
    """A blocked device gets one file that takes its lines away, then nothing."""
    devices.change_device(desk.core, desk.actor, desk.device, {"state": "blocked"})
    blank = proven(desk)
    assert parameters(blank)["account.1.enable"] == "0"
    assert b"Ada" not in blank.content
    assert proven(desk).outcome is Outcome.NOT_FOUND
    devices.change_device(desk.core, desk.actor, desk.device, {"state": "registered"})
    assert parameters(proven(desk))["account.1.enable"] == "1"


def test_all_files_of_a_boot_are_blanked(core, actor, phone_of, clock):
    """A phone that spreads its settings over several files gets all of them blanked."""
    row = registering.add_device(core, actor, mac="00:04:F2:00:00:01", model="VVX 450").device
    poly = phone_of(row.id, "0004f2000001.cfg")
    devices.change_device(core, actor, row.id, {"state": "blocked"})
    names = ["0004f2000001.cfg", "0004f2000001-user.cfg", "0004f2000001-device.cfg"]
    outcomes = [poly.fetch(name, user_agent="").outcome for name in names]
    assert outcomes == [Outcome.SERVED] * 3
    assert poly.fetch(user_agent="").outcome is Outcome.NOT_FOUND


def test_a_retired_device_is_blanked_once(desk):
    """A retired device gets its blanking file by its token, then nothing; its MAC is free."""
    url = devices.provisioning_urls(desk.core, desk.actor, desk.device).token_url
    token = TokenCredential(url.rstrip("/").rpartition("/")[2])
    devices.retire_device(desk.core, desk.actor, desk.device)
    assert parameters(desk.fetch(credential=token))["account.1.enable"] == "0"
    assert desk.fetch(credential=token).outcome is Outcome.NOT_FOUND
    again = registering.add_device(desk.core, desk.actor, mac="001565aabbcc").device
    assert again.id != desk.device
    assert desk.fetch().outcome is Outcome.SERVED


# --- softphones


@pytest.fixture
def softphone(core, actor, desk):
    """A registered Linphone of Ada's and its enrolment token."""
    made = registering.add_device(core, actor, vendor="linphone", name="Ada's laptop")
    assignments.assign_device(core, actor, made.device.id, [desk.user])
    head, name = made.enrolment_url.rsplit("/", 1)
    assert name == "linphone.xml"
    return made.device.id, TokenCredential(head.rpartition("/")[2])


def durable(desk, device) -> TokenCredential:
    """The token of the URL a softphone keeps."""
    url = devices.provisioning_urls(desk.core, desk.actor, device).token_url
    return TokenCredential(url.rstrip("/").rpartition("/")[2])


def test_h4_an_enrolment_link_hands_over_the_durable_url(desk, softphone):
    """The link's answer holds the account and the durable URL, whose first fetch ends the link."""
    device, link = softphone
    first = desk.fetch("linphone.xml", credential=link, door=Door.HTTPS, user_agent="Unknown")
    assert first.outcome is Outcome.SERVED
    assert durable(desk, device).token.encode() in first.content
    assert link.token.encode() not in first.content
    again = desk.fetch("linphone.xml", credential=link, door=Door.HTTPS, user_agent="Unknown")
    assert again.outcome is Outcome.SERVED
    own = desk.fetch("linphone.xml", credential=durable(desk, device), door=Door.HTTPS)
    assert own.outcome is Outcome.SERVED
    ended = desk.fetch("linphone.xml", credential=link, door=Door.HTTPS)
    assert ended.outcome is Outcome.NOT_FOUND


def test_an_enrolment_link_lasts_ten_minutes(desk, softphone, clock):
    """A link that was not used in time is refused; a new one can be made."""
    device, link = softphone
    clock.turn(minutes=10)
    late = desk.fetch("linphone.xml", credential=link, door=Door.HTTPS, user_agent="Unknown")
    assert late.outcome is Outcome.NOT_FOUND
    fresh = registering.enrol(desk.core, desk.actor, device).rsplit("/", 2)[1]
    reply = desk.fetch("linphone.xml", credential=TokenCredential(fresh), door=Door.HTTPS)
    assert reply.outcome is Outcome.SERVED


def test_a_bare_softphone_name_is_nobody(desk, softphone):
    """Without a token the name of a softphone's file names no device."""
    assert desk.fetch("linphone.xml", user_agent="Unknown").outcome is Outcome.NOT_FOUND


# --- what is broken is not "not found"


def test_a_failing_template_is_a_failure(desk, monkeypatch):
    """A template that fails answers "try again", and nothing of the window is used up."""

    def broken(*_arguments):
        raise RenderFailed("The template 'mac.cfg.j2' failed.", remedy="Mend it.")

    monkeypatch.setattr(serving, "render_file", broken)
    assert desk.fetch().outcome is Outcome.FAILED
    assert desk.trust().window_served == 0
    assert "mac.cfg.j2" in desk.log()[0].reason


def test_a_bug_is_a_failure_too(desk, monkeypatch):
    """An exception nobody foresaw is a failure, never a refusal and never an end."""
    monkeypatch.setattr(serving, "build_phone", lambda *_a, **_k: 1 / 0)
    assert desk.fetch().outcome is Outcome.FAILED
    monkeypatch.undo()
    assert desk.fetch().outcome is Outcome.SERVED


def test_a_name_that_breaks_the_syntax_is_not_stored(desk):
    """A display name with a line break is refused before it could reach a file."""
    with pytest.raises(Exception, match="one line"):
        users.change_user(desk.core, desk.actor, desk.user, {"first_name": "A\naccount.1 = x"})


def test_a_changed_server_reaches_the_phone(desk):
    """A new registrar is in the next file of everybody registered there."""
    proven(desk)
    with desk.core.database.read() as session:
        server = queries.default_server(session, desk.actor.organisation).id
    sip.change_server(desk.core, desk.actor, server, {"registrar": "new.example.com"})
    assert parameters(proven(desk))["account.1.sip_server.1.address"] == "new.example.com"


@pytest.fixture
def digium(desk):
    """A registered Digium phone of Ada's, and a fetch of it by its token."""
    made = registering.add_device(desk.core, desk.actor, mac="00:0F:D3:00:00:01", vendor="digium")
    assignments.assign_device(desk.core, desk.actor, made.device.id, [desk.user])
    url = devices.provisioning_urls(desk.core, desk.actor, made.device.id).token_url
    credential = TokenCredential(url.rstrip("/").rpartition("/")[2])

    def fetch(path: str):
        name, _, query = path.partition("?")
        request = FileRequest(
            path=name,
            query=query,
            peer=ip_address("192.0.2.1"),
            door=Door.HTTPS,
            credential=credential,
            user_agent="Digium D60 1_4_0_0",
        )
        return fetch_file(desk.core, request)

    return made.device.id, fetch


def test_a_linked_file_is_of_the_person_of_the_configuration_or_not_at_all(desk, digium):
    """A phone whose person changes between two files of a boot never shows parts of both."""
    _, fetch = digium
    told = re.findall(
        r"/(000fd3000001-\w+\.cfg\?v=\w+)", fetch("000fd3000001.cfg").content.decode()
    )
    assert len(told) == 2
    assert [fetch(path).outcome for path in told] == [Outcome.SERVED] * 2
    layouts.replace_keys(
        desk.core, desk.actor, "user", desk.user,
        [layouts.read_key({"position": 1, "type": "blf", "value": "1002", "label": "Grace"})],
    )  # fmt: skip
    late = [fetch(path) for path in told]
    assert [reply.outcome for reply in late] == [Outcome.FAILED] * 2
    assert not any(reply.content for reply in late)
    again = re.findall(
        r"/(000fd3000001-\w+\.cfg\?v=\w+)", fetch("000fd3000001.cfg").content.decode()
    )
    assert [fetch(path).outcome for path in again] == [Outcome.SERVED] * 2
    assert b"1002" in b"".join(fetch(path).content for path in again)
