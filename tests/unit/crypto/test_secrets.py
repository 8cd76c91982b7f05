from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.crypto.secrets import Cipher, KeyUse, derive_key, key_id, load_or_create_keys
from provisioning.domain.errors import BadConfig, UnreadableSecret

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
CIPHER = Cipher([KEY])


@given(st.text(), st.text(alphabet="abcdefgh-", max_size=20))
def test_what_is_encrypted_comes_back(plain, purpose):
    """Any text, odd Unicode included, survives with the same purpose."""
    assert CIPHER.decrypt(CIPHER.encrypt(plain, purpose), purpose) == plain


@given(st.binary(max_size=200) | st.binary(min_size=28, max_size=80).map(lambda b: b"\x01" + b))
def test_no_random_blob_decrypts_or_crashes(blob):
    """Whatever bytes stand in the database, the only outcome is the named error."""
    with pytest.raises(UnreadableSecret):
        CIPHER.decrypt(blob, "sip-account")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_every_changed_byte_is_noticed(place, change):
    """A blob with any one byte changed does not decrypt."""
    blob = bytearray(CIPHER.encrypt("s3cret", "sip-account"))
    blob[place % len(blob)] ^= change
    with pytest.raises(UnreadableSecret):
        CIPHER.decrypt(bytes(blob), "sip-account")


def test_a_blob_is_bound_to_its_purpose():
    """A blob copied into another column does not decrypt there, and says where it failed."""
    blob = CIPHER.encrypt("s3cret", "sip-account")
    with pytest.raises(UnreadableSecret, match="portal-session"):
        CIPHER.decrypt(blob, "portal-session")


def test_equal_texts_give_different_blobs():
    """The nonce is random, so that equal passwords do not show in the database."""
    assert CIPHER.encrypt("same", "p") != CIPHER.encrypt("same", "p")


def test_former_keys_still_decrypt_and_the_first_encrypts():
    """After a rotation old blobs are readable and new ones need the new key only."""
    assert key_id(KEY) != key_id(OTHER)
    both = Cipher([OTHER, KEY])
    assert both.decrypt(CIPHER.encrypt("old", "p"), "p") == "old"
    assert Cipher([OTHER]).decrypt(both.encrypt("new", "p"), "p") == "new"


def test_another_servers_key_is_named_as_the_cause():
    """A blob of an unknown key tells the admin to look for the key file."""
    with pytest.raises(UnreadableSecret, match="SECRET_KEY_FILE"):
        Cipher([OTHER]).decrypt(CIPHER.encrypt("s3cret", "p"), "p")


def test_keys_of_one_id_are_all_tried():
    """Two keys that share an id by chance both decrypt their own blobs."""
    twin = next(
        key
        for number in range(10_000)
        if key_id(key := number.to_bytes(32, "big")) == key_id(KEY) and key != KEY
    )
    assert Cipher([twin, KEY]).decrypt(CIPHER.encrypt("mine", "p"), "p") == "mine"


def test_derived_keys_differ_by_use_and_by_key():
    """No two uses share key material, and none is the server key itself."""
    derived = {derive_key(key, use) for key in (KEY, OTHER) for use in KeyUse}
    assert len(derived | {KEY, OTHER}) == 2 * len(KeyUse) + 2


def test_an_alias_is_of_the_text_the_purpose_and_the_first_key():
    """The same text is found again, and nothing else is taken for it."""
    found = [cipher.alias(plain, purpose) for cipher in (CIPHER, Cipher([OTHER, KEY]))
             for plain in ("1001", "482913", "\ud800") for purpose in ("p", "q")]  # fmt: skip
    assert len(set(found)) == len(found)
    assert Cipher([KEY, OTHER]).alias("1001", "p") == CIPHER.alias("1001", "p")


@pytest.mark.parametrize("keys", [[], [b"short"], [KEY, KEY[:-1]]])
def test_keys_of_a_wrong_size_are_refused(keys):
    """A cipher without a full key stops the start."""
    with pytest.raises(BadConfig, match="32 bytes"):
        Cipher(keys)


def test_the_key_file_is_made_once_and_private(tmp_path):
    """The first start makes a file only its owner can open; later starts read the same key."""
    path = tmp_path / "data" / "secret.key"
    keys = load_or_create_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create_keys(path) == keys
    assert [len(key) for key in keys] == [32]
    assert list(path.parent.iterdir()) == [path]


def test_processes_starting_together_agree_on_a_key(tmp_path):
    """However many start at once, all end up with the one key that is in the file."""
    path = tmp_path / "secret.key"
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_or_create_keys(path))) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1


def test_a_file_may_hold_former_keys_and_remarks(tmp_path):
    """One key a line, newest first, as an operator writes it with openssl rand -hex 32."""
    path = tmp_path / "secret.key"
    path.write_text(f"# rotated in May\n{OTHER.hex().upper()}\n\n{KEY.hex()}\n")
    path.chmod(0o400)
    assert load_or_create_keys(path) == (OTHER, KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o444])
def test_a_key_file_open_to_others_is_refused(tmp_path, mode):
    """Whoever can read the key can read every secret: the start stops and says chmod."""
    path = tmp_path / "secret.key"
    path.write_text(KEY.hex())
    path.chmod(mode)
    with pytest.raises(BadConfig, match="chmod 600"):
        load_or_create_keys(path)


@pytest.mark.parametrize("content", [b"", b"# only a remark\n", b"abc\n", b"\xff" * 32, b"0" * 65])
def test_a_malformed_key_file_is_never_replaced(tmp_path, content):
    """A damaged key stops the start; a new key would make every stored secret unreadable."""
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(BadConfig, match="64 hexadecimal digits"):
        load_or_create_keys(path)
    assert path.read_bytes() == content


def test_what_is_no_file_is_refused(tmp_path):
    """A folder, a FIFO or a dangling link in the key's place is named, and nothing hangs."""
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo, 0o600)
    link.symlink_to(tmp_path / "nowhere")
    for path in (tmp_path, fifo, link, fifo / "below"):
        with pytest.raises(BadConfig):
            load_or_create_keys(path)
