"""Who is served a device's file: windows, tokens, passwords, networks, and what is refused."""

from __future__ import annotations

import hashlib
from ipaddress import ip_network

import pytest

from provisioning.crypto.tokens import new_token
from provisioning.store import queries
from provisioning.store.devices import Device
from provisioning.usecases import devices, inventory, organisations, registering
from provisioning.usecases.core import REALM
from provisioning.usecases.requests import (
    BasicCredential,
    Challenged,
    DigestCredential,
    Door,
    OrganisationCredential,
    Outcome,
    TokenCredential,
)


def own_token(desk) -> TokenCredential:
    """The device's own token, as an admin reads it."""
    url = devices.provisioning_urls(desk.core, desk.actor, desk.device).token_url
    return TokenCredential(url.rstrip("/").rpartition("/")[2])


def test_the_first_source_boots_in_the_window(desk):
    """A fresh phone gets its boot file, common file and own file by its MAC alone."""
    for name in ("001565aabbcc.boot", "y000000000096.cfg", "001565aabbcc.cfg"):
        assert desk.fetch(name).outcome is Outcome.SERVED
    assert b"account.1.user_name = 1001" in desk.fetch().content
    assert desk.trust().bound_source == "192.0.2.1"


def test_a_second_source_gets_nothing_and_costs_the_token(desk):
    """A second source in the window is refused, an alarm is kept and the old token dies."""
    old = own_token(desk)
    desk.fetch()
    assert desk.fetch(source="192.0.2.2").outcome is Outcome.NOT_FOUND
    assert "192.0.2.2" in desk.trust().alarm
    assert desk.fetch(credential=old, door=Door.HTTPS).outcome is Outcome.NOT_FOUND
    assert desk.fetch(credential=own_token(desk), door=Door.HTTPS).outcome is Outcome.SERVED


def test_unknown_and_refused_look_alike(desk):
    """The reply to a refused device is the very reply to a MAC nobody registered."""
    desk.fetch()
    refused = desk.fetch(source="192.0.2.2")
    unknown = desk.fetch("001565aabbcd.cfg", source="192.0.2.2", user_agent="")
    assert refused == unknown


def test_the_window_ends(desk, clock):
    """A day later nobody is served by a MAC any more; reopening the window lets one in again."""
    clock.turn(hours=25)
    assert desk.fetch().outcome is Outcome.NOT_FOUND
    devices.reopen_window(desk.core, desk.actor, desk.device)
    assert desk.fetch().outcome is Outcome.SERVED


def test_a_served_window_waits_for_its_source(desk, clock):
    """A phone that was served may come back for six days more, from the same address."""
    desk.fetch()
    clock.turn(days=6)
    assert desk.fetch(source="192.0.2.2").outcome is Outcome.NOT_FOUND
    assert desk.fetch().outcome is Outcome.SERVED
    clock.turn(days=1)
    assert desk.fetch().outcome is Outcome.NOT_FOUND


def test_an_admin_sees_what_came_of_the_window(desk, clock):
    """The stage goes from open over waiting to adopted, or ends as never came back."""

    def stage():
        return inventory.read_window(desk.core, desk.actor, desk.device).stage

    assert stage() == "open"
    desk.fetch()
    clock.turn(days=6)
    assert stage() == "waiting for its return"
    clock.turn(days=2)
    assert stage() == "never came back"
    desk.fetch(credential=own_token(desk), door=Door.HTTPS)
    assert stage() == "adopted"
    devices.reopen_window(desk.core, desk.actor, desk.device)
    clock.turn(days=2)
    assert stage() == "closed unused"


def test_twenty_files_and_no_more(desk):
    """An open window serves at most twenty secret files."""
    outcomes = [desk.fetch().outcome for _ in range(22)]
    assert outcomes == [Outcome.SERVED] * 20 + [Outcome.NOT_FOUND] * 2


def test_the_first_proven_return_adopts(desk):
    """After the first fetch by token the bare MAC is refused and the model is confirmed."""
    desk.fetch()
    assert desk.fetch(credential=own_token(desk), door=Door.HTTPS).outcome is Outcome.SERVED
    assert desk.fetch().outcome is Outcome.NOT_FOUND
    with desk.core.database.read() as session:
        device = queries.by_id(session, Device, desk.device)
    assert (device.state, device.model, device.model_confirmed) == ("adopted", "T54W", True)
    assert device.firmware == "96.86.0.45"
    assert desk.trust().adopted_at is not None


def test_a_model_claimed_without_proof_is_not_stored(desk):
    """Before any proof the User-Agent shapes the answer and changes nothing in the store."""
    desk.fetch()
    with desk.core.database.read() as session:
        device = queries.by_id(session, Device, desk.device)
    assert (device.model, device.model_confirmed) == (None, False)


def test_the_served_file_moves_the_phone_to_its_token(desk):
    """A file fetched by HTTPS names the token URL; by HTTP it hands over our CA instead."""
    token = own_token(desk).token
    over_http = desk.fetch().content.decode()
    assert token not in over_http
    assert "http://prov.example.com:8080/001565aabbcc-ca.crt" in over_http
    over_tls = desk.fetch(door=Door.HTTPS).content.decode()
    assert f"https://prov.example.com:8443/t/{token}/" in over_tls


def test_a_phone_that_fetched_our_ca_is_moved(desk):
    """Once the CA was delivered the next file names the HTTPS token URL, on any door."""
    desk.fetch()
    reply = desk.fetch("001565aabbcc-ca.crt", user_agent="")
    assert reply.content.startswith(b"-----BEGIN CERTIFICATE-----")
    assert own_token(desk).token in desk.fetch().content.decode()


def test_a_ca_within_the_file_counts(core, actor, clock, phone_of):
    """A phone whose own file holds our CA is moved to HTTPS the next time it asks."""
    row = registering.add_device(core, actor, mac="00:04:13:A3:00:01", model="D735").device
    phone = phone_of(row.id, "snomD735-000413A30001.htm")
    assert b"https://prov.example.com:8443/t/" not in phone.fetch(user_agent="").content
    assert phone.trust().ca_delivered_at is not None
    assert b"https://prov.example.com:8443/t/" in phone.fetch(user_agent="").content


def test_a_phone_that_can_follow_nowhere_keeps_its_source(core, actor, clock, phone_of):
    """Without a CA it takes and without HTTP tokens, a phone stays bound to its first source."""
    row = registering.add_device(core, actor, mac="00:0B:82:00:00:01", model="GXP2170").device
    phone = phone_of(row.id, "cfg000b82000001.xml")
    outcomes = [phone.fetch(user_agent="").outcome for _ in range(25)]
    assert outcomes == [Outcome.SERVED] * 25
    clock.turn(days=90)
    assert phone.fetch(user_agent="").outcome is Outcome.SERVED
    assert phone.fetch(user_agent="", source="192.0.2.2").outcome is Outcome.NOT_FOUND
    assert inventory.read_window(core, actor, row.id).stage == "bound to its first source"
    organisations.change_site(core, actor, row.site_id, {"allow_http": True})
    assert b"/t/" in phone.fetch(user_agent="").content
    assert phone.fetch(credential=own_token(phone), user_agent="").outcome is Outcome.SERVED
    assert phone.fetch(user_agent="").outcome is Outcome.NOT_FOUND


def test_a_dialect_without_a_parameter_for_it_keeps_its_source(core, actor, clock, phone_of):
    """A phone whose dialect cannot be told another URL stays bound to its first source, too."""
    row = registering.add_device(core, actor, mac="C8:1F:EA:00:00:01", model="J179").device
    phone = phone_of(row.id, "c81fea000001.txt")
    for _ in range(25):
        assert phone.fetch(user_agent="", door=Door.HTTPS).outcome is Outcome.SERVED
    clock.turn(days=30)
    assert phone.fetch(user_agent="", door=Door.HTTPS).outcome is Outcome.SERVED


def test_a_phone_that_is_led_by_http_alone_is_not_waited_for_by_https(core, actor, clock, phone_of):
    """A phone whose file cannot name an HTTPS server keeps its source, or goes to the HTTP token."""
    row = registering.add_device(core, actor, mac="00:08:5D:00:00:01", model="6867i").device
    phone = phone_of(row.id, "00085D000001.cfg")
    assert phone.fetch(user_agent="", door=Door.HTTPS).outcome is Outcome.SERVED
    clock.turn(days=30)
    assert phone.fetch(user_agent="", door=Door.HTTPS).outcome is Outcome.SERVED
    organisations.change_site(core, actor, row.site_id, {"allow_http": True})
    phone.fetch("00085d000001-ca.crt", user_agent="")
    path = f"http path: t/{own_token(phone).token}"
    assert path in phone.fetch(user_agent="").content.decode()
    proven = phone.fetch(credential=own_token(phone), user_agent="").content.decode()
    assert path in proven


def test_the_ca_is_no_way_around_trust(desk):
    """The CA file of a device is refused to whom its other files are refused."""
    desk.fetch()
    assert desk.fetch("001565aabbcc-ca.crt", source="192.0.2.2").outcome is Outcome.NOT_FOUND
    assert desk.trust().ca_delivered_at is None


def test_http_tokens_only_where_the_site_allows(desk):
    """A site may allow the token URL over plain HTTP for phones that cannot use our HTTPS."""
    with desk.core.database.read() as session:
        site = queries.by_id(session, Device, desk.device).site_id
    organisations.change_site(desk.core, desk.actor, site, {"allow_http": True})
    assert (
        f"http://prov.example.com:8080/t/{own_token(desk).token}/" in desk.fetch().content.decode()
    )


def test_a_token_opens_its_own_device_only(desk, core, actor):
    """A valid token never fetches another device's file."""
    registering.add_device(core, actor, mac="00:15:65:00:00:02")
    reply = desk.fetch("001565000002.cfg", credential=own_token(desk), user_agent="")
    assert reply.outcome is Outcome.NOT_FOUND


def test_an_unknown_token_is_not_found(desk):
    """A token nobody has gets the common refusal."""
    assert desk.fetch(credential=TokenCredential(new_token())).outcome is Outcome.NOT_FOUND


def test_a_replaced_token_works_until_the_new_one_is_used(desk):
    """Two tokens are valid while one is replaced; the first use of the new one ends the old."""
    old = own_token(desk)
    devices.reopen_window(desk.core, desk.actor, desk.device)
    new = own_token(desk)
    assert desk.fetch(credential=old).outcome is Outcome.SERVED
    assert desk.fetch(credential=new).outcome is Outcome.SERVED
    assert desk.fetch(credential=old).outcome is Outcome.NOT_FOUND


def test_another_mac_in_the_user_agent_is_a_lie(desk):
    """A request whose name and User-Agent hold two MACs gets nothing."""
    liar = "Yealink SIP-T54W 96.86.0.45 00:15:65:00:00:99"
    assert desk.fetch(user_agent=liar).outcome is Outcome.NOT_FOUND


def test_the_sites_network_is_proof_where_the_site_says_so(desk):
    """With the minimum 'network' a source in the site's networks is served, others are not."""
    with desk.core.database.read() as session:
        site = queries.by_id(session, Device, desk.device).site_id
    changes = {"networks": ["192.0.2.0/24"], "minimum_trust": "network"}
    organisations.change_site(desk.core, desk.actor, site, changes)
    assert desk.fetch(source="192.0.2.77").outcome is Outcome.SERVED
    assert desk.fetch(source="::ffff:192.0.2.78").outcome is Outcome.SERVED
    assert desk.fetch(source="198.51.100.1").outcome is Outcome.NOT_FOUND


def test_a_proxy_is_no_network(desk):
    """An address behind which anybody may stand never counts as the site's network."""
    with desk.core.database.read() as session:
        site = queries.by_id(session, Device, desk.device).site_id
    changes = {"networks": ["192.0.2.0/24"], "minimum_trust": "network"}
    organisations.change_site(desk.core, desk.actor, site, changes)
    desk.core.proxies = (ip_network("192.0.2.9/32"),)
    desk.fetch(source="192.0.2.5")
    assert desk.fetch(source="192.0.2.9").outcome is Outcome.NOT_FOUND


def test_the_organisations_path_proves_nothing(desk, neighbour):
    """An /o/ path finds the organisation's devices only and needs the window like a bare one."""
    core = desk.core
    mine = organisations.organisation_url(core, desk.actor).rstrip("/").rpartition("/")[2]
    theirs = organisations.organisation_url(core, neighbour).rstrip("/").rpartition("/")[2]
    assert desk.fetch(credential=OrganisationCredential(theirs)).outcome is Outcome.NOT_FOUND
    assert desk.fetch(credential=OrganisationCredential(mine)).outcome is Outcome.SERVED
    assert desk.log()[0].grade == "none"


# --- passwords


def digest(desk, challenge: str, *, password: str, user: str, target: str) -> DigestCredential:
    """What a phone answers to a Digest challenge (RFC 7616 section 3.4.1)."""
    nonce = challenge.partition('nonce="')[2].partition('"')[0]
    algorithm = "SHA-256" if "SHA-256" in challenge else "MD5"
    hasher = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

    def joined(*parts: str) -> str:
        return hasher(":".join(parts).encode()).hexdigest()

    secret, request = joined(user, REALM, password), joined("GET", target)
    response = joined(secret, nonce, "00000001", "abcdef", "auth", request)
    return DigestCredential(
        "GET",
        target,
        {
            "username": user, "realm": REALM, "nonce": nonce, "uri": target, "qop": "auth",
            "nc": "00000001", "cnonce": "abcdef", "response": response, "algorithm": algorithm,
        },
    )  # fmt: skip


@pytest.mark.parametrize("position", [0, 1])
def test_digest_proves_the_device(desk, position):
    """An /a/ path challenges, and the device's own credentials open its file by MD5 and SHA-256."""
    ways = devices.provisioning_urls(desk.core, desk.actor, desk.device)
    challenge = desk.fetch(credential=Challenged())
    assert challenge.outcome is Outcome.CHALLENGE
    assert all(line.startswith("Digest ") for line in challenge.challenges)
    answer = digest(
        desk, challenge.challenges[position], password=ways.password, user=ways.username,
        target="/a/001565aabbcc.cfg",
    )  # fmt: skip
    reply = desk.fetch(credential=answer)
    assert reply.outcome is Outcome.SERVED
    assert desk.log()[0].grade == "password"
    assert desk.fetch(credential=answer).outcome is Outcome.CHALLENGE, "a replay"


def test_a_wrong_password_is_challenged_again(desk):
    """Wrong and unknown credentials get the same challenge, never a file."""
    ways = devices.provisioning_urls(desk.core, desk.actor, desk.device)
    challenge = desk.fetch(credential=Challenged()).challenges[0]
    for user, password in ((ways.username, "wrong"), ("nobody", ways.password), ("", "")):
        answer = digest(desk, challenge, password=password, user=user, target="/a/001565aabbcc.cfg")
        assert desk.fetch(credential=answer).outcome is Outcome.CHALLENGE


def test_basic_needs_tls(desk):
    """Basic credentials are taken by HTTPS and never by HTTP."""
    ways = devices.provisioning_urls(desk.core, desk.actor, desk.device)
    credential = BasicCredential(ways.username, ways.password)
    assert desk.fetch(credential=credential).outcome is Outcome.CHALLENGE
    assert desk.fetch(credential=credential, door=Door.HTTPS).outcome is Outcome.SERVED
    offered = desk.fetch(credential=Challenged(), door=Door.HTTPS).challenges
    assert [line.split()[0] for line in offered] == ["Digest", "Digest", "Basic"]


def test_a_password_opens_its_own_device_only(desk, core, actor):
    """Good credentials of one device do not open another's file."""
    other = registering.add_device(core, actor, mac="00:15:65:00:00:02").device
    ways = devices.provisioning_urls(core, actor, other.id)
    credential = BasicCredential(ways.username, ways.password)
    assert desk.fetch(credential=credential, door=Door.HTTPS).outcome is Outcome.NOT_FOUND


# --- the log


def test_the_log_says_why(desk):
    """Every request is in the fetch log with its grade, outcome and reason, and no secret."""
    desk.fetch()
    desk.fetch(source="192.0.2.2")
    desk.fetch("001565aabbcc-nonsense.xyz")
    desk.fetch(f"t/{own_token(desk).token}/001565aabbcc.cfg")
    lines = desk.log()
    assert [(line.outcome, line.address) for line in lines[-2:]] == [
        ("not-found", "192.0.2.2"),
        ("served", "192.0.2.1"),
    ]
    assert lines[-1].reason == "the first source in the open window"
    assert lines[-2].reason == "a second source came in the open window"
    assert all(own_token(desk).token not in line.path for line in lines)


def test_h1_an_unknown_mac_is_pending_once(desk, core, actor):
    """An unknown MAC stands in the pending table with what it said of itself, counted."""
    for _ in range(3):
        desk.fetch("805ec0000001.cfg", user_agent="Yealink SIP-T46U 108.87.14.1 80:5e:c0:00:00:01")
    core.log.flush()
    with core.database.read() as session:
        rows = queries.pending(session, actor.organisation, 10)
    assert [(row.mac, row.model, row.times) for row in rows] == [("805ec0000001", "T46U", 3)]


def test_h1_pending_is_capped(desk, core, actor):
    """A flood of unknown MACs fills the pending table to its cap and no further."""
    core.log._pending_cap = 5
    for number in range(12):
        desk.fetch(f"805ec00000{number:02x}.cfg", user_agent="")
    core.log.flush()
    with core.database.read() as session:
        assert len(queries.pending(session, actor.organisation, 100)) == 5
