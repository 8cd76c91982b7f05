"""Organisations, devices, users and tokens from the command line."""

from __future__ import annotations

import json
from ipaddress import ip_address

import pytest

from provisioning.cli.opened import actor_in, opened
from provisioning.crypto.tokens import is_token
from provisioning.domain.errors import Unauthenticated
from provisioning.usecases.actors import authenticate
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.overviews import user_overviews
from provisioning.usecases.requests import Door, FileRequest, TokenCredential
from provisioning.usecases.sessions import reset_password

MAC = "00:15:65:AA:BB:CC"


def items(ran):
    """The members of a list printed as JSON."""
    assert ran.code == 0, ran.errors
    return json.loads(ran.output)["items"]


@pytest.fixture
def phone(run):
    """The id of a registered phone."""
    return run("device", "add", "--mac", MAC, "--model", "T46U", "--name", "Desk 1").text


# --- tokens


def test_token_create_prints_only_the_token_and_it_is_good(run):
    """Standard output is the token and nothing else, and it carries the role's permissions."""
    ran = run("token", "create", "--name", "x", "--role", "admin")
    assert ran.code == 0
    assert is_token(ran.text)
    with opened(None) as core:
        assert authenticate(core, ran.text).organisation


def test_token_create_prints_only_the_token_at_the_first_start(run, monkeypatch, tmp_path):
    """What the first start has to say goes to standard error."""
    monkeypatch.setenv("PROVISIONING_DATA_DIR", str(tmp_path / "new"))
    ran = run("token", "create", "--name", "x", "--role", "admin")
    assert is_token(ran.text)
    assert "password" in ran.errors


def test_revoked_token_is_refused(run):
    """A token ends with `token revoke` and is listed as ended."""
    token = run("token", "create", "--name", "x", "--role", "pbx", "--expires", "2").text
    [listed] = items(run("token", "list", "--json"))
    assert listed["name"] == "x"
    assert listed["role"] == "pbx"
    assert listed["expires_at"]
    assert listed["revoked_at"] is None
    assert run("token", "revoke", listed["id"]).code == 0
    assert items(run("token", "list", "--json"))[0]["revoked_at"]
    with opened(None) as core, pytest.raises(Unauthenticated):
        authenticate(core, token)


def test_operator_token_is_of_no_organisation(run):
    """The role operator needs no organisation, even where there are several."""
    run("organisation", "add", "second")
    ran = run("token", "create", "--name", "x", "--role", "operator")
    assert ran.code == 0
    with opened(None) as core:
        assert authenticate(core, ran.text).organisation_id is None
    [listed] = items(run("token", "list", "--organisation", "second", "--json"))
    assert run("token", "revoke", listed["id"], "--organisation", "main").code == 0


def test_unknown_role_is_one_line_on_stderr(run):
    """A rule that is broken is one line that says what to do, and exit status 1."""
    ran = run("token", "create", "--name", "x", "--role", "king")
    assert ran.code == 1
    assert ran.output == b""
    assert ran.errors.count("\n") == 1
    assert ran.errors.startswith("provisioning: There is no role 'king'. Give admin")


# --- organisations


def test_organisation_must_be_named_where_there_are_several(run):
    """With one organisation nothing needs to be said, with two the error names them."""
    assert run("user", "list").code == 0
    made = run("organisation", "add", "second").text
    listed = items(run("organisation", "list", "--json"))
    assert [item["name"] for item in listed] == ["main", "second"]
    assert listed[1]["id"] == made
    ran = run("user", "list")
    assert ran.code == 1
    assert "--organisation: main, second." in ran.errors
    assert run("user", "list", "--organisation", "second").code == 0
    assert run("user", "list", "--organisation", made).code == 0
    assert "no organisation 'third'" in run("user", "list", "--organisation", "third").errors


def test_an_organisation_does_not_see_another_ones_device(run, phone):
    """A device is found in its own organisation only."""
    run("organisation", "add", "second")
    assert run("device", "show", MAC, "--organisation", "main").code == 0
    ran = run("device", "show", MAC, "--organisation", "second")
    assert ran.code == 1
    assert "There is no device" in ran.errors


# --- devices and users


def test_device_is_added_listed_shown_and_retired(run, phone):
    """A device goes through its life by commands."""
    [listed] = items(run("device", "list", "--json"))
    assert listed["id"] == phone
    assert (listed["mac"], listed["vendor"], listed["model"]) == (MAC, "yealink", "T46U")
    shown = json.loads(run("device", "show", phone, "--json").output)
    assert shown["files"] == [
        "001565aabbcc.boot", "y000000000108.cfg", "001565aabbcc.cfg",
        "001565aabbcc-phonebook.xml",
    ]  # fmt: skip
    assert "/t/" in shown["provisioning_url"]
    assert run("device", "retire", "001565aabbcc").code == 0
    assert items(run("device", "list", "--json"))[0]["state"] == "retired"


def test_columns_stand_below_their_names(run, phone):
    """A list for people has a line of names and a line for each row."""
    head, row = run("device", "list").text.splitlines()
    assert row[head.index("MAC") :].startswith(MAC)
    assert row[head.index("STATE") :].startswith("registered")


def test_same_mac_twice_is_refused(run, phone):
    """A MAC that is registered cannot be added again."""
    ran = run("device", "add", "--mac", "001565aabbcc")
    assert ran.code == 1
    assert "registered already" in ran.errors


def test_softphone_gets_its_link(run):
    """A device without a MAC is printed with its enrolment link."""
    _, url = run("device", "add", "--vendor", "linphone", "--name", "Laptop").text.splitlines()
    assert url.endswith("/linphone.xml")


def test_user_is_added_and_found_by_extension(run):
    """A user is shown by extension or id, and what was not made is said on standard error."""
    ran = run("user", "add", "--first-name", "Ada", "--extension", "1001")
    assert "no SIP server" in ran.errors
    [listed] = items(run("user", "list", "--json"))
    assert listed["id"] == ran.text
    assert listed == json.loads(run("user", "show", "1001", "--json").output)
    assert listed == json.loads(run("user", "show", ran.text, "--json").output)
    assert run("user", "show", "1002").code == 1


def test_commands_work_while_the_server_runs(run):
    """A command writes while another process has the database open, which sees it at once."""
    with opened(None) as server, server.database.read() as session:
        session.connection()
        made = run("user", "add", "--first-name", "Ada", "--extension", "1001")
        assert made.code == 0
        [user] = user_overviews(server, actor_in(server, None))
        assert str(user.id) == made.text


# --- render


def fetched(run, name, user_agent=""):
    """The bytes of a file as the device gets them over HTTPS from its own URL."""
    shown = json.loads(run("device", "show", MAC, "--json").output)
    token = shown["provisioning_url"].strip("/").rpartition("/")[2]
    request = FileRequest(
        name, ip_address("192.0.2.7"), Door.HTTPS,
        user_agent=user_agent, credential=TokenCredential(token),
    )  # fmt: skip
    with opened(None) as core:
        return fetch_file(core, request).content


@pytest.mark.parametrize("user_agent", ["", "Yealink SIP-T46U 108.86.0.20 00:15:65:aa:bb:cc"])
def test_render_prints_the_bytes_that_are_served(run, phone, user_agent):
    """What `render` prints is what the phone gets over HTTPS, byte for byte."""
    served = fetched(run, "001565aabbcc.cfg", user_agent)
    assert served
    assert run("render", MAC, "--file", "001565aabbcc.cfg").output == served


def test_render_lists_the_files_then_prints_them(run, phone):
    """Without --file the names come first, then each file below its name."""
    text = run("render", MAC).text
    names = [
        "001565aabbcc.boot", "y000000000108.cfg", "001565aabbcc.cfg",
        "001565aabbcc-phonebook.xml",
    ]  # fmt: skip
    assert text.splitlines()[: len(names)] == names
    assert [line for line in text.splitlines() if line.startswith("==> ")] == [
        f"==> {name} <==" for name in names
    ]


def test_render_masks_when_asked(run, phone):
    """With --mask neither the token nor a password is printed."""
    shown = json.loads(run("device", "show", MAC, "--json").output)
    token = shown["provisioning_url"].strip("/").rpartition("/")[2]
    assert token in run("render", MAC).text
    masked = run("render", MAC, "--mask").text
    assert token not in masked
    assert "admin:********" in masked


def test_explain_says_where_a_line_comes_from(run, phone):
    """Below a line stand its settings and their levels, and without these lines it is the file."""
    plain = run("render", MAC, "--file", "001565aabbcc.cfg").text
    lines = run("render", MAC, "--file", "001565aabbcc.cfg", "--explain").text.splitlines()
    at = next(n for n, line in enumerate(lines) if "network.lldp.enable" in line)
    assert lines[at + 1] == "    <- vlan.lldp: built-in"
    assert [line for line in lines if not line.startswith("    <- ")] == plain.splitlines()


def test_unknown_file_is_an_error(run, phone):
    """A name the device has not is one line on stderr and nothing on stdout."""
    ran = run("render", MAC, "--file", "other.cfg")
    assert ran.code == 1
    assert ran.output == b""
    assert "has no file 'other.cfg'" in ran.errors


# --- logins


def test_login_is_added_listed_and_gets_a_link(run):
    """A new login gets a link at once; whoever forgot their password gets another."""
    first = run("login", "add", "ada@example.com", "--role", "admin")
    assert first.code == 0
    assert is_token(first.text.rpartition("/reset/")[2])
    listed = {item["email"]: item for item in items(run("login", "list", "--json"))}
    assert listed["ada@example.com"]["role"] == "admin"
    assert listed["admin@example.com"]["role"] == "owner"
    second = run("login", "reset-link", "Ada@Example.com")
    assert second.text.rpartition("/")[2] not in first.text
    with opened(None) as core:
        token = second.text.rpartition("/")[2]
        reset_password(core, token, "four words in no order")
    assert run("login", "remove-totp", "ada@example.com").code == 0
    ran = run("login", "reset-link", "nobody@example.com")
    assert (ran.code, ran.output) == (1, b"")


def test_a2_owner_is_set_by_a_command(run):
    """`organisation owner` makes a member the owner, and nobody else."""
    assert run("organisation", "owner", "ada@example.com").code == 1
    run("login", "add", "ada@example.com", "--role", "member")
    assert run("organisation", "owner", "ada@example.com").code == 0
    roles = {item["email"]: item["role"] for item in items(run("login", "list", "--json"))}
    assert roles == {"admin@example.com": "admin", "ada@example.com": "owner"}


# --- contacts


def test_h7_contacts_come_from_a_sheet_or_from_cards(run, tmp_path):
    """A file's ending says which it is; what is wrong is printed and ends with 1."""
    sheet, cards, bad = tmp_path / "a.csv", tmp_path / "a.VCF", tmp_path / "b.vcf"
    sheet.write_text("first_name,work\nTaxi,1\n")
    cards.write_text("BEGIN:VCARD\nFN:Mum\nTEL:2\nEND:VCARD\n")
    bad.write_text("BEGIN:VCARD\nTEL:2\nEND:VCARD\n")
    assert "done: 1 rows, 1 new" in run("import", "contacts", str(sheet)).text
    assert "checked" in run("import", "contacts", str(cards), "--dry-run").text
    assert "done: 1 rows, 1 new" in run("import", "contacts", str(cards)).text
    refused = run("import", "contacts", str(bad))
    assert (refused.code, "line 1, first_name" in refused.errors) == (1, True)
    assert run("import", "contacts", str(sheet), "--owner", "1001").code != 0
    exported = run("export", "contacts").text
    assert ",Taxi," in exported
    assert ",Mum," in exported
