"""Images: what people send is decoded once, here, and only what we encoded ourselves is kept.

So nothing of a file but its picture goes on: no metadata, no second file behind the first.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from threading import BoundedSemaphore

from PIL import Image, ImageOps

from provisioning.domain.errors import InvalidInput, TooLarge
from provisioning.domain.kinds import Purpose

LARGEST_FILE = 5 * 1024 * 1024
MOST_PIXELS = 32_000_000
"""Pixels a JPEG may say it has that is decoded smaller than it is."""

MOST_WHOLE = 12_500_000
"""Pixels of a file that is decoded whole: 10 bytes each for PNG, 17 for WebP, copies included."""

AVATAR_SIDE = 512
LARGEST_COVER = (1920, 1080)

MEDIA_TYPES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
"""What is taken, and what Pillow calls it: no other decoder is ever asked."""

JPEG, PNG = "image/jpeg", "image/png"
_REMEDY = "Send a PNG, JPEG or WebP image."
_QUALITY = 88
_decoding = BoundedSemaphore(2)
"""Images decoded at a time; each may take 220 megabytes."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as we wrote it."""

    content: bytes
    media_type: str
    width: int
    height: int


def read_image(content: bytes, purpose: Purpose) -> Encoded:
    """What was sent, made anew in the form its purpose has.

    An avatar is a square of 512 pixels, a cover at most 1920x1080. Raises TooLarge, or
    InvalidInput for what is no image, or one of too many pixels.
    """
    if len(content) > LARGEST_FILE:
        raise TooLarge(f"The image has more than {LARGEST_FILE} bytes.", remedy="Make it smaller.")
    with _decoding:
        image = _decoded(content)
        if purpose is Purpose.AVATAR:
            return _encoded(
                _fitted(image, AVATAR_SIDE, AVATAR_SIDE), PNG if _clear(image) else JPEG
            )
        image.thumbnail(LARGEST_COVER)
        return _encoded(image, JPEG)


@lru_cache(maxsize=64)
def sized(content: bytes, width: int, height: int, media_type: str) -> bytes:
    """One of our own images, cut to exactly this size and written in this form.

    The answer depends on nothing else, so that what is kept of it is never stale.
    """
    with _decoding, Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
        image.load()
        return _encoded(_fitted(image, width, height), media_type).content


def _decoded(content: bytes) -> Image.Image:
    """The picture in a file, upright, as RGB or RGBA; its size is looked at before its pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=tuple(MEDIA_TYPES.values())) as image:
            _prepare(image)
            ImageOps.exif_transpose(image, in_place=True)
            mode = "RGBA" if _clear(image) else "RGB"
            made = image if image.mode == mode else image.convert(mode)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many() from error
    except (InvalidInput, MemoryError):
        raise
    except Exception as error:
        # Decoders fail in many ways at bytes that were made to break them.
        raise InvalidInput(
            "The file is no image that can be read.", remedy=_REMEDY, field="image"
        ) from error
    made.info = {}  # comments and colour profiles, which would be written again
    return made


def _prepare(image: Image.Image) -> None:
    """Have a JPEG decoded smaller than it is; refuse what takes too much memory all the same."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise _too_many()
    image.draft("RGB", LARGEST_COVER)
    if not image.info.get("progressive"):  # whose decoder holds all of it at once
        pixels = image.width * image.height
    if pixels > MOST_WHOLE:
        raise _too_many()


def _too_many() -> InvalidInput:
    return InvalidInput(
        "The image has too many pixels.",
        remedy=f"Send one of at most {MOST_WHOLE // 1_000_000} million.",
        field="image",
    )


def _clear(image: Image.Image) -> bool:
    """Whether some of the picture may be transparent."""
    return image.has_transparency_data


def _fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of the picture in exactly this size."""
    return ImageOps.fit(image, (width, height))


def _encoded(image: Image.Image, media_type: str) -> Encoded:
    written = io.BytesIO()
    if media_type == PNG:
        image = image if image.mode in ("RGB", "RGBA") else image.convert("RGB")
        image.save(written, "PNG", optimize=True)
    else:
        _opaque(image).save(written, "JPEG", quality=_QUALITY)
    return Encoded(written.getvalue(), media_type, image.width, image.height)


def _opaque(image: Image.Image) -> Image.Image:
    """The picture on white, where it is transparent."""
    if image.mode != "RGBA":
        return image if image.mode == "RGB" else image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")
