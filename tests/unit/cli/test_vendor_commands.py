"""`check` and `new-vendor`."""

from __future__ import annotations

import json
from ipaddress import ip_address

import pytest

from provisioning.cli.opened import opened
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.requests import Door, FileRequest, TokenCredential


@pytest.fixture
def alone(own_vendors, monkeypatch, tmp_path):
    """The operator's vendors without the shipped ones, which take seconds to check."""
    monkeypatch.setattr("provisioning.config.schema.shipped_root", lambda: tmp_path / "none")
    return own_vendors


def test_new_vendor_passes_the_check(run, alone):
    """A new folder gives no finding at all."""
    ran = run("new-vendor", "acme")
    assert ran.code == 0
    assert ran.text == str(alone / "acme")
    ran = run("check")
    assert (ran.code, ran.output) == (0, b"")


def test_new_vendor_serves(run, own_vendors):
    """A phone of a new vendor is registered, rendered and served."""
    run("new-vendor", "acme")
    mac = "02:00:00:00:00:09"
    assert run("device", "add", "--mac", mac, "--vendor", "acme", "--model", "Example").code == 0
    shown = json.loads(run("device", "show", mac, "--json").output)
    token = shown["provisioning_url"].strip("/").rpartition("/")[2]
    request = FileRequest(
        "020000000009.cfg", ip_address("192.0.2.7"), Door.HTTPS, credential=TokenCredential(token)
    )
    with opened(None) as core:
        served = fetch_file(core, request).content
    assert b"provisioning.url = https://" in served
    assert run("render", mac, "--file", "020000000009.cfg").output == served


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["Ac me"], "no name of a vendor"),
        (["yealink"], "already a vendor 'yealink'"),
        (["acme", "--into", "/nowhere"], "There is no folder /nowhere"),
        (["acme", "--into", "/proc"], "/proc cannot be written"),
    ],
)
def test_new_vendor_says_what_is_wrong(run, own_vendors, arguments, error):
    """A bad name or folder is one clear line."""
    ran = run("new-vendor", *arguments)
    assert ran.code == 1
    assert error in ran.errors
    assert ran.errors.count("\n") == 1


def test_new_vendor_needs_a_folder(run):
    """Without a folder of the operator's own one has to be named."""
    ran = run("new-vendor", "acme")
    assert ran.code == 1
    assert "--into FOLDER" in ran.errors


def test_check_prints_findings_and_fails(run, alone, monkeypatch):
    """A finding is file, line, what is wrong and what to do; an error makes the status 1."""
    run("new-vendor", "acme")
    file = alone / "acme" / "vendor.toml"
    file.write_text(file.read_text().replace("lines = 2", "lnies = 2"))
    line = file.read_text().splitlines().index("lnies = 2") + 1
    monkeypatch.chdir(alone)
    ran = run("check")
    assert ran.code == 1
    assert ran.text == (
        f"acme/vendor.toml:{line}: 'models.0.lnies' is not a key of the schema; "
        "remove it or see docs/vendors.md."
    )
    [item] = json.loads(run("check", "--json").output)["items"]
    assert (item["vendor"], item["level"], item["line"]) == ("acme", "error", line)


def test_check_writes_golden_cases(run, alone):
    """A template that was changed fails the check until its golden cases are written."""
    run("new-vendor", "acme")
    template = alone / "acme" / "mac.cfg.j2"
    template.write_text(template.read_text().replace("enable = 1", "enable = yes"))
    ran = run("check")
    assert ran.code == 1
    assert "golden/full-user/020000000001.cfg:2: The case expects" in ran.text
    assert run("check", "--write-golden", "acme").code == 0
    assert run("check").code == 0
    assert run("check", "--write-golden", "nobody").code == 1


def test_accept_needs_overrides(run):
    """There is nothing to accept without a folder of the operator's own."""
    ran = run("check", "--accept")
    assert ran.code == 1
    assert "PROVISIONING_VENDOR_FOLDER" in ran.errors
