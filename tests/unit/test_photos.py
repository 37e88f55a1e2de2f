"""Photographs as they are taken in."""

import io
from pathlib import Path

import pytest
from PIL import Image

from fsms import photos
from fsms.errors import InvalidValue

PLACE_TAKEN = 0x8825  # the Exif block in which a phone writes where it was
ORIENTATION = 0x0112


def _sent(size: tuple[int, int] = (1200, 900), form: str = "JPEG", exif: Image.Exif | None = None) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", size, "navy").save(file, form, **({"exif": exif} if exif else {}))
    return file


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_kept_small_under_a_random_name(form: str, tmp_path: Path) -> None:
    first, second = photos.keep(_sent(form=form), tmp_path), photos.keep(_sent(form=form), tmp_path)

    assert first != second
    path = photos.path_of(first, tmp_path)
    assert path
    with Image.open(path) as kept:
        assert kept.format == "JPEG"
        assert kept.width <= 600
        assert kept.height <= 800


def test_what_the_camera_wrote_is_gone_and_the_picture_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the phone was held upright
    exif.get_ifd(PLACE_TAKEN)[2] = (11.99, 0, 0)

    path = photos.path_of(photos.keep(_sent((800, 600), exif=exif), tmp_path), tmp_path)

    assert path
    with Image.open(path) as kept:
        assert kept.height > kept.width
        assert not dict(kept.getexif())


@pytest.mark.parametrize(
    ("bytes_sent", "said"),
    [
        (b"", "cannot be read as a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "cannot be read as a picture"),
        (b"\xff\xd8\xff\xe0 not a jpeg after all", "cannot be read as a picture"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "cannot be read as a picture"),
        (b"x" * (photos.LARGEST_BYTES + 1), "too large"),
    ],
    ids=["nothing", "svg", "broken", "gif", "huge"],
)
def test_what_is_no_photograph_is_refused_and_nothing_is_kept(bytes_sent: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=said):
        photos.keep(io.BytesIO(bytes_sent), tmp_path)

    assert not list(tmp_path.iterdir())


def test_a_cut_off_upload_is_refused(tmp_path: Path) -> None:
    whole = _sent().getvalue()

    with pytest.raises(InvalidValue, match="cannot be read"):
        photos.keep(io.BytesIO(whole[: len(whole) // 2]), tmp_path)


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(bomb, "PNG")

    with pytest.raises(InvalidValue, match="too many pixels"):
        photos.keep(bomb, tmp_path)


@pytest.mark.parametrize("name", [None, "", "../secret-key", "a.jpg", "0" * 32 + ".jpg", "0" * 32 + ".jpg/../x"])
def test_only_names_given_by_the_school_lead_to_a_file(name: str | None, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()

    assert photos.path_of(name, tmp_path) is None
