"""A real Kamailio that knows nobody but whom the export gives it, and a real softphone."""

from __future__ import annotations

import csv
import io

import pytest

# As docs/pbx.md has it: hashes only, looked up by user and domain.
REGISTRAR = """#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:{port}
loadmodule "ctl.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "db_text.so"
loadmodule "auth.so"
loadmodule "auth_db.so"
modparam("ctl", "binrpc", "unix:{control}")
modparam("usrloc", "db_mode", 0)
modparam("auth_db", "db_url", "text://{folder}/tables")
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "use_domain", 1)
modparam("auth_db", "load_credentials", "")

request_route {{
    if ($rm != "REGISTER") {{
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }}
    if (!auth_check("$fd", "subscriber", "1")) {{
        auth_challenge("$fd", "1");
        exit;
    }}
    save("location");
}}
"""
COLUMNS = ("username", "domain", "password", "ha1", "ha1b")


@pytest.fixture
def sip_server(server):
    """A SIP server on loopback whose secrets are ours."""
    columns = {"registrar": "127.0.0.1", "transport": "udp"}
    number = len(server.api("GET", "sip-servers")["items"])
    return server.api("POST", "sip-servers", {"name": f"exported {number}", **columns})


@pytest.fixture
def pbx(server):
    """What the API answers to a token of the role pbx."""
    token = server.command("token", "create", "--name", "kamailio", "--role", "pbx")

    def get(path):
        answer = server.get(
            f"{server.people}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status == 200, answer.body
        return answer.body.decode()

    return get


@pytest.fixture
def exported(server, sip_server, pbx, run_registrar, tmp_path_factory):
    """A Kamailio whose tables were written from the export; the accounts' server points there."""
    folder = tmp_path_factory.mktemp("sip")
    tables = folder / "tables"
    tables.mkdir()
    (tables / "version").write_text("table_name(string) table_version(int)\nsubscriber:7\n")
    text = pbx(f"exports/kamailio?server={sip_server['id']}&format=csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    lines = [" ".join(f"{name}(string,null)" for name in COLUMNS)]
    lines += [":".join(row[name] for name in COLUMNS) for row in rows]
    (tables / "subscriber").write_text("\n".join(lines) + "\n")
    registrar = run_registrar(REGISTRAR, folder)
    server.api("PATCH", f"sip-servers/{sip_server['id']}", {"port": registrar.port})
    return registrar


@pytest.fixture
def ada(server, sip_server):
    """A person with a generated SIP password that nobody but our server knows."""
    return server.make_user(sip_account={"sip_server_id": sip_server["id"]})


@pytest.fixture
def phone(server, ada, exported, softphone):
    """Ada's softphone, which fetches the file our server renders for her."""
    device = server.api("POST", "devices", {"vendor": "linphone", "name": "Ada's laptop"})
    server.api("PUT", f"devices/{device['id']}/assignments", {"users": [ada["id"]]})
    phone = softphone()
    phone.install(device["enrolment_url"], server.ca)
    return phone


def test_b2_a_phone_registers_at_a_kamailio_that_has_the_export(ada, exported, phone):
    """With nothing but the exported hashes, Kamailio lets the phone in that we provisioned."""
    username = ada["extension"]
    assert not exported.registered(username)
    phone.start()
    assert f"sip:{username}@127.0.0.1" in phone.wait_registered()
    assert exported.registered(username)


def test_b2_a_wrong_password_is_refused_by_a_kamailio_that_has_the_export(
    server, ada, exported, phone
):
    """Kamailio refuses a phone whose password is not the one that was exported."""
    account = ada["sip_account"]["id"]
    server.api("PATCH", f"sip-accounts/{account}", {"password": "brand-New-4711"})
    phone.start()
    phone.wait_refused()
    assert not exported.registered(ada["extension"])
