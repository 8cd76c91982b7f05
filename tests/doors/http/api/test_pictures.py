"""Pictures over HTTP: sent as they are, and shown as we keep them."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from PIL import Image

from provisioning.usecases.images import LARGEST_FILE

JPEG = {"Content-Type": "image/jpeg"}


def image(kind="JPEG") -> bytes:
    """An image file."""
    written = io.BytesIO()
    Image.new("RGB", (320, 200), "red").save(written, kind)
    return written.getvalue()


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/organisation/avatar", (512, 512)),
        ("/organisation/cover", (320, 200)),
        ("/users/{user}/photo", (512, 512)),
        ("/users/{user}/cover", (320, 200)),
        ("/me/photo", (512, 512)),
        ("/me/cover", (320, 200)),
    ],
)
async def test_a5_a6_b3_a_picture_is_set_shown_and_taken_away(caller, actor, office, path, size):
    """What was put is answered as an image in its own form, until it is deleted."""
    api = caller(actor, user=UUID(office["user"]))
    path = path.format(user=office["user"])
    await api("DELETE", path)
    assert (await api("GET", path)).status == 404
    put = await api("PUT", path, data=image("WEBP"), headers={"Content-Type": "image/webp"})
    assert (put.status, put.json["width"], put.json["height"]) == (200, *size)
    stale = {"If-Match": put.headers["ETag"]}
    await api("PUT", path, data=image(), headers=JPEG | stale)
    assert (await api("PUT", path, data=image(), headers=JPEG | stale)).status == 412
    assert (await api("DELETE", path, headers=stale)).status == 412
    got = await api("GET", path)
    assert (got.status, got.headers["Content-Type"]) == (200, "image/jpeg")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert Image.open(io.BytesIO(got.body)).size == size
    current = {"If-Match": got.headers["ETag"]}
    assert (await api("DELETE", path, headers=current)).status == 204
    assert (await api("DELETE", path)).status == 404
    assert (await api("PUT", path, data=image(), headers=JPEG | current)).status == 404


async def test_b3_what_is_no_image_is_refused_over_http(api, office):
    """A wrong media type, bytes that are no image, and too many of them each say what is wrong."""
    path = f"/users/{office['user']}/photo"
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    for sent, declared, status in (
        (image(), "text/plain", 415),
        (svg, "image/svg+xml", 415),
        (svg, "image/png", 422),
        (b"GIF89a", "image/png", 422),
        (b"x" * (LARGEST_FILE + 1), "image/png", 413),
    ):
        reply = await api("PUT", path, data=io.BytesIO(sent), headers={"Content-Type": declared})
        assert (reply.status, bool(reply.json["remedy"])) == (status, True), declared


async def test_a5_a_token_of_no_user_has_no_photo(api, office):
    """A token that is nobody's is told so."""
    reply = await api("PUT", "/me/photo", data=image(), headers=JPEG)
    assert (reply.status, reply.json["code"]) == (403, "nobodys-own")
