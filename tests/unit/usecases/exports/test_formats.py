"""What a PBX is given in its own format, byte for byte."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from provisioning.usecases import users
from provisioning.usecases.exports.asterisk import Part, asterisk
from provisioning.usecases.exports.freeswitch import domain_document, not_found, user_document
from provisioning.usecases.exports.kamailio import as_csv, kamailio

REALM = "pbx.example.com"


def md5(text: str) -> str:
    """What the formats call HA1 when it is made of user, realm and password."""
    return hashlib.md5(text.encode()).hexdigest()


PJSIP = """\
; PJSIP endpoints on pbx.example.com. Made by an export: changes here are lost.

[1001](phones)
type = endpoint
context = from-internal
auth = 1001
aors = 1001
callerid = "Ada" <1001>
callerid_privacy = prohib
disallow = all
allow = opus,alaw
dtmf_mode = info
media_encryption = sdes
media_encryption_optimistic = yes
mailboxes = 1001@default,790@default
mwi_subscribe_replaces_unsolicited = yes
named_call_group = {sales}
named_pickup_group = {sales}
accountcode = 17
language = de
device_state_busy_at = 1
set_var = ROOST_ACCOUNT={ada_account}
set_var = ROOST_INCOMING=disabled
set_var = ROOST_OUTGOING=enabled
set_var = ROOST_ANONYMOUS=yes
set_var = ROOST_USER={ada}
set_var = ROOST_ROUTING=hotdesk
set_var = ROOST_RECORDING=on-demand
set_var = ROOST_RECORD_CALLS=own
set_var = ROOST_CALL_METHOD=callback
set_var = ROOST_CALLBACK=+4930777
set_var = ROOST_SHOW_CALLS=no
set_var = ROOST_MAIL_WAITS=no
set_var = ROOST_FEATURES=voicemail&hotdesking&several-caller-ids&busy-reject
set_var = ROOST_RIGHTS=presence&calls&pickup&park&record
set_var = ROOST_CALLER_ID=+49301001
set_var = ROOST_CALLER_IDS=+49301000
set_var = ROOST_ACCOUNT_CODE=17
set_var = ROOST_STEPS=2
set_var = ROOST_STEP_1=20:1002
set_var = ROOST_STEP_2=30:700&+4930999
set_var = ROOST_FALLBACK=shared-voicemail:790

[1001]
type = auth
auth_type = userpass
username = 1001
password = Secret\\;1

[1001]
type = aor
max_contacts = 10
mailboxes = 1001@default,790@default
"""
BOB = """\

[1002](phones)
type = endpoint
context = from-internal
auth = 1002
aors = 1002
callerid = "Bob" <1002>
disallow = all
allow = g722,alaw,ulaw
dtmf_mode = rfc4733
media_encryption = no
mailboxes = 1002@default
mwi_subscribe_replaces_unsolicited = yes
language = en
set_var = ROOST_ACCOUNT={bob_account}
set_var = ROOST_INCOMING=per-client
set_var = ROOST_OUTGOING=per-client
set_var = ROOST_ANONYMOUS=no
set_var = ROOST_USER={bob}
set_var = ROOST_ROUTING=fixed
set_var = ROOST_RECORDING=never
set_var = ROOST_RECORD_CALLS=own
set_var = ROOST_CALL_METHOD=own-line
set_var = ROOST_CALLBACK=
set_var = ROOST_SHOW_CALLS=yes
set_var = ROOST_MAIL_WAITS=no
set_var = ROOST_FEATURES=voicemail&hotdesking
set_var = ROOST_RIGHTS=presence&calls&pickup&park&ivr&record
set_var = ROOST_CALLER_ID=+49301000
set_var = ROOST_CALLER_IDS=
set_var = ROOST_ACCOUNT_CODE=
set_var = ROOST_STEPS=0
set_var = ROOST_FALLBACK=

[1002]
type = auth
auth_type = userpass
username = bob-auth
password = Secret\\;1

[1002]
type = aor
max_contacts = 10
mailboxes = 1002@default
"""


def test_a10_b7_b8_b11_b13_c1_c2_c3_c7_d1_d3_e3_e5_asterisk_is_given_pjsip_objects(
    core, actor, office, accounts
):
    """The endpoints, auths and AORs say everything that is set, and nothing else."""
    ids = accounts()
    names = {"sales": office.sales, "ada": office.ada.id, "bob": office.bob.id}
    names |= {"ada_account": ids["1001"], "bob_account": ids["1002"]}
    assert asterisk(core, actor, template="phones") == (PJSIP + BOB).format(**names)


def test_c1_e3_e5_asterisk_is_given_a_dial_plan(core, actor, office):
    """By extension a dial plan learns what is set for whom it calls, and whose state it is."""
    text = asterisk(core, actor, part=Part.DIALPLAN)
    ada, bob, hints = text.split("exten = 1001,1,")[1].partition("exten = 1002,1,")[::2][0], "", ""
    ada, _, rest = text.partition("exten = 1002,1,")
    bob, _, hints = rest.partition("[roost-hints]\n")
    assert ada.startswith("; What is set for the people.")
    assert "\n[roost-people]\nexten = 1001,1,Set(ROOST_CALLED_ACCOUNT=" in ada
    assert " same = n,Set(ROOST_CALLED_STEP_2=30:700&+4930999)\n" in ada
    assert " same = n,Set(ROOST_CALLED_FALLBACK=shared-voicemail:790)\n" in ada
    assert ada.endswith(" same = n,Set(ROOST_CALLED_DIAL=PJSIP/1001)\n same = n,Return()\n")
    assert " same = n,Set(ROOST_CALLED_INCOMING=per-client)\n" in bob
    assert hints == "exten = 1001,hint,PJSIP/1001\nexten = 1002,hint,PJSIP/1002\n"


USER = """\
<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<document type="freeswitch/xml">
  <section name="directory">
    <domain name="pbx.example.com">
      <groups>
        <group name="Sales &amp; &lt;More&gt;">
          <users>
            <user id="1001">
              <params>
                <param name="a1-hash" value="{ha1}" />
                <param name="vm-enabled" value="true" />
                <param name="vm-mailto" value="ada@example.com" />
                <param name="vm-email-all-messages" value="true" />
                <param name="vm-attach-file" value="true" />
                <param name="vm-keep-local-after-email" value="false" />
              </params>
              <variables>
                <variable name="user_context" value="default" />
                <variable name="effective_caller_id_name" value="Ada" />
                <variable name="effective_caller_id_number" value="1001" />
                <variable name="outbound_caller_id_name" value="Ada's" />
                <variable name="outbound_caller_id_number" value="+49301001" />
                <variable name="callgroup" value="{sales}" />
                <variable name="accountcode" value="17" />
                <variable name="default_language" value="de" />
                <variable name="timezone" value="Europe/Berlin" />
                <variable name="absolute_codec_string" value="OPUS,PCMA" />
                <variable name="dtmf_type" value="info" />
                <variable name="rtp_secure_media" value="optional" />
                <variable name="roost_account" value="{account}" />
                <variable name="roost_incoming" value="disabled" />
"""


def test_b7_e1_e2_freeswitch_is_given_a_user(core, actor, office, accounts):
    """The document of one user says who they are and how their phone proves it."""
    text = user_document(core, actor, user="1001", domain=REALM).decode()
    names = {"sales": office.sales, "account": accounts()["1001"]}
    assert text.startswith(USER.format(ha1=md5(f"1001:{REALM}:Secret;1"), **names))
    assert '<variable name="roost_step_2" value="30:700&amp;+4930999" />' in text
    assert "Secret" not in text
    assert core.pins.verify(office.ada.voicemail_pin_hash or core.pins.hash("4711"), "4711")
    assert "argon2" not in text


def test_freeswitch_is_given_a_hash_for_the_realm_it_asks_for(core, actor, office):
    """The hash is for the realm of the challenge, and the name the phone answers with."""

    def asked(user: str, **more: str) -> ET.Element:
        return ET.fromstring(user_document(core, actor, user=user, domain=REALM, **more))

    def ha1(root: ET.Element) -> str | None:
        return root.find(".//param[@name='a1-hash']").get("value")

    assert ha1(asked("1001", realm="10.0.0.1")) == md5("1001:10.0.0.1:Secret;1")
    bob = asked("bob-auth")
    assert bob.find(".//user").attrib == {"id": "bob-auth", "number-alias": "1002"}
    assert ha1(bob) == md5(f"bob-auth:{REALM}:Secret;1")
    assert ha1(asked("1002")) == md5(f"1002:{REALM}:Secret;1")
    other = user_document(core, actor, user="1001", domain="10.0.0.1", server="main")
    assert b'<domain name="10.0.0.1">' in other


def test_freeswitch_is_told_that_a_user_is_not_here(core, actor, office):
    """Whoever is not here, by whatever name or domain, gives the document that says so."""
    expected = (
        b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        b'<document type="freeswitch/xml">\n  <section name="result">\n'
        b'    <result status="not found" />\n  </section>\n</document>\n'
    )
    assert not_found() == expected
    for user, domain in (("9", REALM), ("1001", "x.example"), ("", REALM), ("1001", "<a>")):
        assert user_document(core, actor, user=user, domain=domain) == expected
    assert user_document(core, actor, user="1001", domain=REALM, server="x") == expected
    users.change_user(core, actor, office.ada.id, {"enabled": False})
    assert user_document(core, actor, user="1001", domain=REALM) == expected


def test_freeswitch_is_given_a_whole_domain(core, actor, office):
    """All users stand in the groups of their departments."""
    root = ET.fromstring(domain_document(core, actor))
    groups = {group.get("name"): group for group in root.iter("group")}
    assert list(groups) == ["Sales & <More>", "default"]
    assert [user.get("id") for user in root.iter("user")] == ["1001", "bob-auth"]
    for user in root.iter("user"):
        assert user.find("params/param[@name='a1-hash']") is not None


def test_kamailio_is_given_subscribers(core, actor, office):
    """A row has the hashes for the names a phone may write; a password only if asked for."""
    ada, bob = kamailio(core, actor)
    assert (ada.username, ada.domain, ada.password) == ("1001", REALM, "")
    assert ada.ha1 == md5(f"1001:{REALM}:Secret;1")
    assert ada.ha1b == md5(f"1001@{REALM}:{REALM}:Secret;1")
    assert bob.username == "bob-auth"
    (other, _) = kamailio(core, actor, realm="10.0.0.1", passwords=True)
    assert (other.domain, other.password) == ("10.0.0.1", "Secret;1")
    assert other.ha1 == md5("1001:10.0.0.1:Secret;1")
    assert as_csv([ada]) == (
        f"username,domain,password,ha1,ha1b\r\n1001,{REALM},,{ada.ha1},{ada.ha1b}\r\n"
    )


def test_every_variable_is_described(core, actor, office):
    """docs/pbx.md has the row of each variable a PBX is given and of nothing else."""
    page = (Path(__file__).parents[4] / "docs" / "pbx.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(ROOST_\w+)`", page, re.MULTILINE)
    given = re.findall(r"^set_var = (ROOST_\w+)=", asterisk(core, actor), re.MULTILINE)
    assert described == [name for name in dict.fromkeys(given) if name != "ROOST_STEP_2"]
