"""The configuration: where values come from, what is refused, and what is derived."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.config import KEYS, load_config
from provisioning.domain.errors import BadConfig
from provisioning.vendors.folders import shipped_root


@pytest.fixture
def toml(tmp_path: Path) -> Callable[[str], Path]:
    """Write a configuration file."""

    def write(text: str) -> Path:
        path = tmp_path / "roost.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(environ: dict[str, str], path: Path | None = None) -> BadConfig:
    """The error the configuration is refused with."""
    with pytest.raises(BadConfig) as caught:
        load_config(path, environ)
    return caught.value


def test_nothing_configured_is_a_whole_configuration():
    """Without a file and without variables everything has a value that works on one machine."""
    config = load_config(None, {})
    assert config.data_dir == Path("data").absolute()
    assert config.database_url == f"sqlite:///{config.data_dir}/roost.db"
    assert config.secret_key_file == config.data_dir / "secret.key"
    assert config.phones.host == config.tftp.host == ("0.0.0.0", "::")
    assert (config.phones.http_port, config.phones.https_port) == (8080, 8443)
    assert (config.tftp.port, config.people.port, config.ops.port) == (6969, 8000, 9000)
    assert config.people.host == config.ops.host == ("127.0.0.1",)
    assert (config.retention.fetches, config.pending_cap) == (30, 1000)
    assert config.retention.audit == 365
    assert (config.admin_email, config.admin_password) == (None, None)
    assert config.vendor_roots == (shipped_root(),)


def test_variable_wins_over_file_and_file_over_default(toml):
    """The environment overrides the TOML file, which overrides the built-in default."""
    path = toml("[phones]\nhttp_port = 81\nhttps_port = 444\n")
    config = load_config(path, {"PROVISIONING_PHONES__HTTP_PORT": "82"})
    assert config.phones.http_port == 82
    assert config.phones.https_port == 444
    assert config.tftp.port == 6969


def test_file_is_named_by_the_variable_unless_the_option_names_one(toml, tmp_path):
    """PROVISIONING_CONFIG names the file where the command line does not."""
    path = toml("pending_cap = 5\n")
    assert load_config(None, {"PROVISIONING_CONFIG": str(path)}).pending_cap == 5
    other = tmp_path / "other.toml"
    other.write_text("pending_cap = 6\n")
    assert load_config(other, {"PROVISIONING_CONFIG": str(path)}).pending_cap == 6


@pytest.mark.parametrize("text", ["127.0.0.1,::1", " 127.0.0.1 , ::1 ", '["127.0.0.1", "::1"]'])
def test_list_variable_takes_commas_or_json(text):
    """A list in the environment is written with commas or as JSON."""
    assert load_config(None, {"PROVISIONING_TFTP__HOST": text}).tftp.host == ("127.0.0.1", "::1")


def test_list_in_the_file_is_an_array_or_a_text(toml):
    """A list in TOML is an array, and a single member may stand alone."""
    path = toml('[people]\nhost = ["localhost", "::1"]\n[ops]\nhost = "::1"\n')
    config = load_config(path, {})
    assert config.people.host == ("localhost", "::1")
    assert config.ops.host == ("::1",)


def test_networks_of_proxies_are_parsed():
    """Proxies are networks of either family."""
    config = load_config(None, {"PROVISIONING_PHONES__PROXIES": "192.0.2.0/24,2001:db8::/32"})
    assert config.phones.proxies == (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PHONES__HTTP_PORT", "80a"),
        ("PHONES__HTTP_PORT", "65536"),
        ("PHONES__HTTP_PORT", "-1"),
        ("PHONES__HTTPS_PORT", ""),
        ("TFTP__HOST", ""),
        ("TFTP__HOST", "1.2.3"),
        ("TFTP__HOST", "127.0.0.1,"),
        ("OPS__HOST", "[1]"),
        ("PEOPLE__HOST", "[]"),
        ("PHONES__PROXIES", "192.0.2.1/24"),
        ("PUBLIC_URL", "http://phones.example.com"),
        ("PUBLIC_URL", "https://phones.example.com/path"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_HTTP_URL", "https://phones.example.com"),
        ("PEOPLE__PUBLIC_URL", "https://roost.example.com:99999"),
        ("DATA_DIR", ""),
        ("DATA_DIR", "a\nb"),
        ("VENDOR_FOLDER", "does/not/exist"),
        ("RETENTION__FETCHES", "0"),
        ("PENDING_CAP", "many"),
        ("ADMIN_EMAIL", "ada"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_wrong_value_is_refused_on_one_line_that_names_key_value_and_form(variable, value):
    """A wrong value stops the start and the message says which key, what it was, what it takes."""
    error = refusal({f"PROVISIONING_{variable}": value})
    text = str(error)
    key = KEYS[variable.replace("__", ".").lower()]
    assert "\n" not in text
    assert all(part in text for part in (key.variable, key.path, repr(value), key.form.allowed))
    assert error.field == key.path


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROVISIONING_ADMIN_PASSWORD", "  "),
        ("PROVISIONING_ADMIN_PASSWORD", ""),
        ("PROVISIONING_ADMIN_PASSWORD", "geheim\x00"),
        ("PROVISIONING_DATABASE_URL", "mysql://roost:geheim@db/roost"),
    ],
)
def test_wrong_secret_is_refused_without_being_shown(variable, value):
    """A refused secret is named but its value is not repeated."""
    text = str(refusal({variable: value, "PROVISIONING_ADMIN_EMAIL": "ada@example.com"}))
    assert variable in text
    assert "geheim" not in text


def test_password_inside_a_refused_url_is_masked():
    """A URL that wrongly carries credentials is refused without repeating them."""
    text = str(refusal({"PROVISIONING_PUBLIC_URL": "https://ada:geheim@example.com"}))
    assert "geheim" not in text
    assert "https://***@example.com" in text


def test_secrets_are_not_in_the_representation():
    """Printing the configuration shows neither the admin's password nor the database's."""
    config = load_config(
        None,
        {
            "PROVISIONING_ADMIN_EMAIL": "ada@example.com",
            "PROVISIONING_ADMIN_PASSWORD": " geheim ",
            "PROVISIONING_DATABASE_URL": "postgresql://roost:geheim@db/roost",
        },
    )
    assert "geheim" not in repr(config)
    assert config.admin_password is not None
    assert config.admin_password.get_secret_value() == " geheim "


def test_unknown_variable_is_refused_with_the_nearest_one():
    """A mistyped variable stops the start and the message names the one that was meant."""
    text = str(refusal({"PROVISIONING_PHONES__HTTPPORT": "80"}))
    assert "PROVISIONING_PHONES__HTTPPORT" in text
    assert "Did you mean PROVISIONING_PHONES__HTTP_PORT?" in text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("http_prot = 1", "http_prot"),
        ("[phones]\nhttp_prot = 1", "phones.http_prot"),
        ("[fax]\nport = 1", "fax"),
        ("phones = 8080", "phones"),
        ("[pending_cap]\nx = 1", "pending_cap"),
    ],
)
def test_unknown_key_of_the_file_is_refused(toml, text, named):
    """A key of the file that means nothing stops the start and is named."""
    message = str(refusal({}, toml(text)))
    assert named in message
    assert "\n" not in message


@pytest.mark.parametrize("value", ["true", "1.5", "[1]", '"x"'])
def test_port_in_the_file_is_a_whole_number(toml, value):
    """TOML's other types are not quietly made into a port."""
    assert refusal({}, toml(f"[ops]\nport = {value}\n")).field == "ops.port"


def test_unreadable_file_is_refused(tmp_path, toml):
    """A file that is missing, not TOML or not UTF-8 stops the start with one line."""
    broken = tmp_path / "latin.toml"
    broken.write_bytes(b'admin_email = "\xe4"')
    for path in (tmp_path / "missing.toml", broken, toml("a = = b")):
        text = str(refusal({}, path))
        assert str(path) in text
        assert "\n" not in text


@pytest.mark.parametrize(
    "environ",
    [
        {"PHONES__HTTP_PORT": "8443"},
        {"PEOPLE__PORT": "9000"},
        {"PEOPLE__PORT": "8080"},
        {"OPS__PORT": "8443", "OPS__HOST": "::1"},
    ],
)
def test_two_listeners_on_one_address_and_port_are_refused(environ):
    """A port wanted twice on one address is refused, a wildcard meaning every address."""
    text = str(refusal({f"PROVISIONING_{name}": value for name, value in environ.items()}))
    assert "has it on" in text


@pytest.mark.parametrize(
    "environ",
    [
        {"PHONES__HTTP_PORT": "0", "PHONES__HTTPS_PORT": "0"},
        {"TFTP__PORT": "8080"},
        {"PEOPLE__PORT": "9000", "PEOPLE__HOST": "::1"},
        {"PEOPLE__PORT": "8080", "PHONES__HOST": "::"},
    ],
)
def test_ports_that_do_not_meet_are_taken(environ):
    """Port 0, UDP beside TCP, and different addresses are no conflict."""
    load_config(None, {f"PROVISIONING_{name}": value for name, value in environ.items()})


def test_admin_without_password_is_fine_and_password_without_admin_is_not():
    """The first admin may leave the password to us, but a password needs its login."""
    config = load_config(None, {"PROVISIONING_ADMIN_EMAIL": "ada@example.com"})
    assert config.admin_password is None
    assert "PROVISIONING_ADMIN_EMAIL" in str(refusal({"PROVISIONING_ADMIN_PASSWORD": "geheim"}))


def test_public_urls_follow_the_listeners():
    """Unset URLs name an address that is listened on, and its port unless it is the usual one."""
    config = load_config(
        None,
        {
            "PROVISIONING_PHONES__HOST": "::1,127.0.0.1",
            "PROVISIONING_PHONES__HTTP_PORT": "80",
            "PROVISIONING_PHONES__HTTPS_PORT": "444",
            "PROVISIONING_PEOPLE__HOST": "127.0.0.1,phones.example.com",
        },
    )
    assert config.public_http_url == "http://[::1]"
    assert config.public_url == "https://[::1]:444"
    assert config.people.public_url == "https://127.0.0.1:8000"
    assert config.people.tls


def test_public_url_of_a_wildcard_is_the_primary_address():
    """A server that listens everywhere names an address of this machine."""
    config = load_config(None, {})
    host = config.public_url.removeprefix("https://").removesuffix(":8443").strip("[]")
    assert host == "localhost" or not ip_address(host).is_unspecified


def test_listener_that_is_off_has_no_url():
    """A listener switched off by port 0 has no public URL, unless one is given for it."""
    environ = {"PROVISIONING_PHONES__HTTPS_PORT": "0", "PROVISIONING_PHONES__HTTP_PORT": "0"}
    config = load_config(None, environ)
    assert (config.public_url, config.public_http_url) == ("", "")
    environ["PROVISIONING_PUBLIC_URL"] = "https://phones.example.com/"
    assert load_config(None, environ).public_url == "https://phones.example.com"


def test_api_on_loopback_is_plain_http():
    """The API is plain HTTP exactly where only this machine reaches it."""
    assert not load_config(None, {}).people.tls
    assert load_config(None, {"PROVISIONING_PEOPLE__HOST": "::"}).people.tls
    assert not load_config(None, {"PROVISIONING_PEOPLE__HOST": "localhost,::1"}).people.tls


def test_own_vendor_folder_comes_first(tmp_path):
    """The operator's vendor folders override the shipped ones."""
    config = load_config(None, {"PROVISIONING_VENDOR_FOLDER": str(tmp_path)})
    assert config.vendor_roots == (tmp_path, shipped_root())


@given(st.text(alphabet=st.characters(exclude_characters="\x00")), st.sampled_from(sorted(KEYS)))
def test_no_value_gives_anything_but_a_configuration_or_one_line(value, path):
    """Whatever a variable holds, the answer is a configuration or a one-line refusal."""
    lines = []
    try:
        load_config(None, {KEYS[path].variable: value})
    except BadConfig as error:
        lines = str(error).splitlines()
    assert len(lines) <= 1


@pytest.mark.parametrize("value", ["~nobody-has-this-name/x", "x" * 5000])
def test_folder_that_cannot_be_looked_at_is_refused(value):
    """A folder of an unknown user, or with a name no file system takes, is refused by name."""
    assert refusal({"PROVISIONING_VENDOR_FOLDER": value}).field == "vendor_folder"


def test_deriving_the_public_url_sends_nothing(monkeypatch):
    """The primary address is found without a packet leaving the machine."""

    class Silent(socket.socket):
        def send(self, *_args):
            pytest.fail("a packet was sent")

        sendto = sendall = sendmsg = send

    monkeypatch.setattr(socket, "socket", Silent)
    assert load_config(None, {}).public_url.startswith("https://")
