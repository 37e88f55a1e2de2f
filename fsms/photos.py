"""Photographs of people: checked, made small, stripped of what the camera wrote, kept under random names.

Knows files, no table and no browser. Whoever may see a person may see the photograph; that is asked elsewhere.
"""

import re
import secrets
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

from fsms.errors import InvalidValue

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_BYTES = 8 * 1024 * 1024
LARGEST_PIXELS = 50_000_000  # A small file can unpack to a picture that fills the memory.
BOX = (600, 800)  # Enough for a 3 × 4 cm print.
QUALITY = 85

_NAME = re.compile(r"[0-9a-f]{32}\.jpg")


def keep(upload: BinaryIO, folder: Path) -> str:
    """Store a picture anew, so that nothing of the file that was sent remains; return its name.

    Raises InvalidValue where it is no picture, or too large a one.
    """
    picture = _opened(upload)
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail(BOX)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{secrets.token_hex(16)}.jpg"
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    clean.save(folder / name, "JPEG", quality=QUALITY, optimize=True)
    return name


def path_of(name: str | None, folder: Path) -> Path | None:
    """Find a stored picture; None for a name that this module never gave, or a file that is gone."""
    if not name or not _NAME.fullmatch(name):
        return None
    path = folder / name
    return path if path.is_file() else None


def _opened(upload: BinaryIO) -> Image.Image:
    upload.seek(0, 2)
    if upload.tell() > LARGEST_BYTES:
        raise InvalidValue("This picture is too large. Send one of at most 8 MB.", about="photo")
    upload.seek(0)
    try:
        picture = Image.open(upload, formats=FORMATS)
        if picture.width * picture.height > LARGEST_PIXELS:
            raise InvalidValue("This picture has too many pixels. Make it smaller and send it again.", about="photo")
        picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise InvalidValue(
            "This file cannot be read as a picture. Send a photograph as JPEG, PNG or WebP.", about="photo"
        ) from error
    return picture
