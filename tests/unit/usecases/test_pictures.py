"""Pictures: what is taken, who may choose, and what a phone gets of them."""

from __future__ import annotations

import io
import re
import struct
import zlib
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from provisioning.domain.errors import InvalidInput, NotFound, RightMissing, TooLarge
from provisioning.domain.kinds import Purpose
from provisioning.domain.roles import Permission
from provisioning.store.devices import Device
from provisioning.usecases import (
    assignments,
    devices,
    hotdesk,
    me,
    phonebook,
    pictures,
    users,
)
from provisioning.usecases.actors import Actor
from provisioning.usecases.fetch import fetch_file
from provisioning.usecases.images import LARGEST_FILE, read_image
from provisioning.usecases.paths import split_path
from provisioning.usecases.requests import Door, FileRequest, Outcome

AVATAR, COVER = Purpose.AVATAR, Purpose.COVER


def image(kind="PNG", size=(640, 480), colour="red", **more) -> bytes:
    """An image file."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind, **more)
    return written.getvalue()


def claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def opened(content: bytes) -> Image.Image:
    """The picture in a file."""
    return Image.open(io.BytesIO(content))


HOSTILE = {
    "nothing": b"",
    "text": b"hello",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "gif": image("GIF"),
    "bmp": image("BMP"),
    "tiff": image("TIFF"),
    "truncated png": image()[:-40],
    "truncated jpeg": image("JPEG")[:-400],
    "truncated webp": image("WEBP")[:40],
    "bomb": claims(60_000, 60_000),
    "small bomb": claims(6_000, 6_000),
    "large png": claims(4_000, 3_200),
    "large progressive jpeg": image("JPEG", (4_000, 3_200), progressive=True),
    "lines missing": claims(600, 600),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_b3_what_is_no_image_is_refused(name):
    """Broken, foreign and exploding files are refused, and it is said what is taken."""
    with pytest.raises(InvalidInput) as refused:
        read_image(HOSTILE[name], AVATAR)
    assert refused.value.remedy


def test_b3_too_large_a_file_is_refused():
    """More than five mebibytes are not looked at."""
    with pytest.raises(TooLarge):
        read_image(image() + b"\0" * LARGEST_FILE, AVATAR)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.integers(0, 3000), st.binary(max_size=40))
def test_b3_broken_bytes_are_refused_or_read(kind, at, junk):
    """Whatever stands in a file, it becomes an image of ours or is refused as none."""
    good = image(kind, (60, 40))
    at %= len(good)
    try:
        made = read_image(good[:at] + junk + good[at + len(junk) :], AVATAR)
    except InvalidInput:
        return
    assert opened(made.content).size == (512, 512)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a5_nothing_but_the_picture_is_kept(kind):
    """Metadata and what hangs behind the picture do not survive."""
    exif = Image.Exif()
    exif[0x010E] = "canary in the metadata"
    more = {"exif": exif, "icc_profile": b"canary in the profile"}
    if kind == "PNG":
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_text("Comment", "canary in a text")
    if kind == "JPEG":
        more["comment"] = b"canary in a comment"
    sent = image(kind, **more) + b"<script>canary behind the end</script>"
    assert b"canary" in sent
    for purpose in (AVATAR, COVER):
        made = read_image(sent, purpose)
        assert b"canary" not in made.content
        assert opened(made.content).size == (made.width, made.height)


def test_a5_an_avatar_is_a_square_and_a6_a_cover_fits():
    """An avatar has 512 pixels a side, a cover keeps its form within 1920x1080."""
    avatar = read_image(image(size=(900, 300)), AVATAR)
    assert (avatar.width, avatar.height, avatar.media_type) == (512, 512, "image/jpeg")
    cover = read_image(image("JPEG", (4000, 1000)), COVER)
    assert (cover.width, cover.height) == (1920, 480)
    photo = read_image(image("JPEG", (4_000, 3_200)), COVER)
    assert (photo.width, photo.height) == (1350, 1080)
    turned = Image.Exif()
    turned[0x0112] = 6
    upright = read_image(image("JPEG", (400, 200), exif=turned), COVER)
    assert (upright.width, upright.height) == (200, 400)


def test_a5_a_transparent_logo_stays_so():
    """A logo keeps its transparency, a cover gets a white ground."""
    written = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(written, "PNG")
    avatar = read_image(written.getvalue(), AVATAR)
    assert opened(avatar.content).getpixel((9, 9))[3] == 0
    cover = opened(read_image(written.getvalue(), COVER).content)
    assert cover.getpixel((9, 9)) == (255, 255, 255)


# --- stored


@pytest.fixture
def ada(desk) -> Actor:
    """Ada herself, a member."""
    return Actor("Ada", desk.actor.organisation, frozenset({Permission.OWN}), user_id=desk.user)


def test_b3_a_photo_is_kept_replaced_and_taken_away(core, actor, neighbour, desk):
    """There is one photo of a user at a time, and none of another organisation's."""
    first = pictures.set_picture(core, actor, desk.user, AVATAR, image())
    second = pictures.set_picture(core, actor, desk.user, AVATAR, image(colour="blue"))
    assert second.id == first.id
    assert second.revision > first.revision
    held = pictures.read_picture(core, actor, desk.user, AVATAR)
    assert opened(held.content).getpixel((5, 5))[2] > 200
    for attempt in (
        lambda: pictures.read_picture(core, neighbour, desk.user, AVATAR),
        lambda: pictures.set_picture(core, neighbour, desk.user, AVATAR, image()),
        lambda: pictures.delete_picture(core, neighbour, desk.user, AVATAR),
        lambda: pictures.read_picture(core, actor, desk.user, COVER),
        lambda: pictures.read_picture(core, actor, None, AVATAR),
    ):
        with pytest.raises(NotFound):
            attempt()
    pictures.delete_picture(core, actor, desk.user, AVATAR)
    with pytest.raises(NotFound):
        pictures.read_picture(core, actor, desk.user, AVATAR)


@pytest.mark.parametrize("purpose", [AVATAR, COVER])
def test_a5_a6_members_choose_their_own_where_they_may(core, actor, desk, phones, ada, purpose):
    """With the right a member sets and takes away their own; without it neither."""
    made = me.set_my_picture(core, ada, purpose, image())
    assert made.user_id == desk.user
    phones.set("user", desk.user, **{f"right.{purpose}": False})
    with pytest.raises(RightMissing):
        me.set_my_picture(core, ada, purpose, image())
    with pytest.raises(RightMissing):
        me.delete_my_picture(core, ada, purpose)
    assert me.my_picture(core, ada, purpose).revision == made.revision
    phones.set("user", desk.user, **{f"right.{purpose}": True})
    me.delete_my_picture(core, ada, purpose)
    with pytest.raises(NotFound):
        me.my_picture(core, ada, purpose)


# --- on the phone


def show(core, url: str, method: str = "GET"):
    """Fetch a URL that a file named, as the phone does."""
    credential, path = split_path(url.split("/", 3)[3])
    peer = ip_address("192.0.2.1")
    request = FileRequest(path, peer, Door.HTTPS, method=method, credential=credential)
    return fetch_file(core, request)


def wallpaper(phones, device, name: str) -> str:
    """The wallpaper's URL in a Yealink's file."""
    text = phones.fetched(device, name).decode()
    found = re.search(r"^wallpaper_upload.url = (.*)$", text, re.MULTILINE)
    assert found
    assert found[1] == "%NULL%" or f"= Config:{found[1].rpartition('/')[2]}\n" in text
    return found[1]


@pytest.fixture
def wide(phones, desk):
    """A Yealink with a colour screen of 480x272 that is Ada's."""
    return phones.add("805ec0aabb01", "T54W", desk.user, vendor="yealink")


def colour(reply) -> str:
    """What the picture of a reply is mostly made of."""
    red, _, blue = opened(reply.content).convert("RGB").getpixel((3, 3))
    return "red" if red > blue else "blue"


def test_a6_the_cover_is_on_the_phone_in_its_size(core, actor, desk, phones, ada, wide):
    """The organisation's cover, one's own before it, and the former again without the right."""
    name = "805ec0aabb01.cfg"
    assert wallpaper(phones, wide, name) == "%NULL%"
    pictures.set_picture(core, actor, None, COVER, image(colour="red"))
    common = wallpaper(phones, wide, name)
    reply = show(core, common)
    assert (reply.outcome, reply.media_type) == (Outcome.SERVED, "image/jpeg")
    assert opened(reply.content).size == (480, 272)
    assert colour(reply) == "red"
    me.set_my_picture(core, ada, COVER, image(colour="blue"))
    own = wallpaper(phones, wide, name)
    assert colour(show(core, own)) == "blue"
    as_png = show(core, own.replace(".jpg", ".png"))
    assert (opened(as_png.content).format, as_png.media_type) == ("PNG", "image/png")
    phones.set("organisation", actor.organisation, **{"right.cover": False})
    assert wallpaper(phones, wide, name) == common
    pictures.delete_picture(core, actor, None, COVER)
    assert wallpaper(phones, wide, name) == "%NULL%"
    assert show(core, common).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    ("vendor", "model", "mac", "size"),
    [
        ("cisco-mpp", "8851", "00562b043616", (800, 480)),
        ("grandstream", "GRP2614", "c074ad000051", (800, 480)),
        ("htek", "UC926", "001fc1000051", (800, 480)),
        ("mitel", "6930", "00085d000051", (800, 480)),
        ("poly-ucs", "Edge E450", "64167f000051", (480, 272)),
    ],
)
def test_a6_the_cover_is_named_by_a_phones_file(
    core, actor, desk, phones, vendor, model, mac, size
):
    """What a dialect's file names as the wallpaper is the cover, in the model's or the usual size."""
    device = phones.add(mac, model, desk.user, vendor=vendor)
    assert "/picture/" not in phones.text(device)
    pictures.set_picture(core, actor, None, COVER, image())
    found = re.search(r"https?://[^\s<\"]+/picture/[^\s<\"]+", phones.text(device))
    assert found
    assert opened(show(core, found[0]).content).size == size


def test_a5_a_logo_has_the_size_its_model_shows(core, actor, desk, phones):
    """Where a model takes a logo of one size, the organisation's avatar is sent in it."""
    device = phones.add("00562b043615", "8851", desk.user, vendor="cisco-mpp")
    pictures.set_picture(core, actor, None, AVATAR, image())
    text = phones.fetched(device, "00562B043615.xml").decode()
    found = re.search(r"<Logo_URL ua=\"na\">(.*)</Logo_URL>", text)
    assert found
    assert opened(show(core, found[1]).content).size == (128, 128)


def test_a6_a_new_cover_has_a_new_url(core, actor, phones, wide):
    """A phone that keeps a picture by its name hears of another one."""
    pictures.set_picture(core, actor, None, COVER, image())
    former = wallpaper(phones, wide, "805ec0aabb01.cfg")
    pictures.set_picture(core, actor, None, COVER, image(colour="blue"))
    assert wallpaper(phones, wide, "805ec0aabb01.cfg") != former


def test_a6_nobody_elses_cover_is_shown(core, desk, phones, ada, wide, add_person):
    """A colleague's phone gets no wallpaper of Ada's by its own URL, and no name it makes up."""
    me.set_my_picture(core, ada, COVER, image())
    url = wallpaper(phones, wide, "805ec0aabb01.cfg")
    other = phones.add("805ec0aabb02", "T54W", add_person("Grace", "1002"), vendor="yealink")
    text = phones.fetched(other, "805ec0aabb02.cfg").decode()
    screens = re.search(r"dnd_on = (.*)event/dnd-on", text)[1]
    picture = url.rpartition("/")[2]
    for path in (f"picture/{picture}", "picture/x.jpg", "picture/../x.jpg", "photos/9.png"):
        assert show(core, screens + path).outcome is Outcome.NOT_FOUND, path
    assert show(core, url, "HEAD").outcome is Outcome.SERVED


def test_a6_whoever_logs_in_has_their_cover_there(core, actor, desk, phones, ada, wide):
    """At a pool phone the wallpaper of whoever is logged in is shown, and no longer after them."""
    users.set_pin(core, actor, desk.user, "482913")
    assignments.assign_device(core, actor, wide, [])
    devices.change_device(core, actor, wide, {"pool": True})
    me.set_my_picture(core, ada, COVER, image(colour="blue"))
    hotdesk.log_in(core, actor, device=wide, extension="1001", pin="482913")
    own = wallpaper(phones, wide, "805ec0aabb01.cfg")
    assert colour(show(core, own)) == "blue"
    hotdesk.log_out(core, actor, device=wide)
    assert wallpaper(phones, wide, "805ec0aabb01.cfg") == "%NULL%"
    assert show(core, own).outcome is Outcome.NOT_FOUND


def version(core, device) -> int:
    """How often a device's own things were changed."""
    with core.database.read() as session:
        return session.get_one(Device, device).version


def test_b3_a_photo_touches_no_phones_files(core, actor, desk):
    """A photo stands in phone books only, so that no phone loads its files for it."""
    before = version(core, desk.device)
    pictures.set_picture(core, actor, desk.user, AVATAR, image())
    assert version(core, desk.device) == before
    pictures.set_picture(core, actor, desk.user, COVER, image())
    assert version(core, desk.device) > before


def test_a5_b3_the_phone_book_names_photos(core, actor, desk, add_person):
    """Who has a photo is shown with it, who has none with the organisation's avatar."""
    add_person("Grace", "1002")

    def faces() -> dict[str, str]:
        with core.database.read() as session:
            book = phonebook.directory(session, actor.organisation, None, query="", page_size=None)
        return {entry.first_name: entry.picture for entry in book.contacts}

    assert faces() == {"Ada": "", "Grace": ""}
    own = pictures.set_picture(core, actor, desk.user, AVATAR, image())
    assert faces() == {"Ada": f"picture/{own.id}-1.jpg", "Grace": ""}
    common = pictures.set_picture(core, actor, None, AVATAR, image())
    assert faces()["Grace"] == f"picture/{common.id}-1.jpg"


def test_a5_b3_a_phone_asks_for_photos_by_number(core, actor, desk, phones, add_person):
    """A Mitel's file says where photos are, and there they have its form; unknown numbers none."""
    add_person("Grace", "1002")
    device = phones.add("00085daabb01", "6867i", desk.user, vendor="mitel")
    text = phones.fetched(device, "00085DAABB01.cfg").decode()
    photos = re.search(r"image server uri: (\S+)", text)[1]
    assert show(core, f"{photos}/1001.png").outcome is Outcome.NOT_FOUND
    pictures.set_picture(core, actor, desk.user, AVATAR, image(colour="blue"))
    pictures.set_picture(core, actor, None, AVATAR, image(colour="red"))
    for number, wanted in (("1001", "blue"), ("1002", "red")):
        reply = show(core, f"{photos}/{number}.png")
        assert (opened(reply.content).format, opened(reply.content).size) == ("PNG", (150, 200))
        assert colour(reply) == wanted
    assert show(core, f"{photos}/1003.png").outcome is Outcome.NOT_FOUND
