import contextlib
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from data_access import images
from data_access.errors import DataError
from data_access.images import read_image

RNG = np.random.default_rng(0)
PICTURE = cv2.resize(RNG.integers(0, 256, (12, 16, 3), dtype=np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)


def _save(path: Path, image: NDArray[np.generic]) -> Path:
    """As it is given, by OpenCV, which takes blue first."""
    _, content = cv2.imencode(path.suffix, np.asarray(image))
    path.write_bytes(content.tobytes())
    return path


def test_red_comes_first_and_a_png_keeps_every_pixel(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.fromarray(PICTURE).save(path)
    found = read_image(path)
    np.testing.assert_array_equal(found, PICTURE)
    assert found.dtype == np.uint8


def test_a_jpeg_is_what_pillow_reads(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    Image.fromarray(PICTURE).save(path, quality=95)
    with Image.open(path) as other:
        np.testing.assert_allclose(read_image(path), np.asarray(other, np.int16), atol=2)


def test_grey_is_repeated_and_alpha_is_dropped(tmp_path: Path) -> None:
    grey = _save(tmp_path / "grey.png", PICTURE[..., 0])
    np.testing.assert_array_equal(read_image(grey), PICTURE[..., :1].repeat(3, axis=2))
    clear = _save(tmp_path / "clear.png", np.dstack([PICTURE, np.zeros(PICTURE.shape[:2], np.uint8)]))
    np.testing.assert_array_equal(read_image(clear), PICTURE[..., ::-1])


def test_sixteen_bits_become_eight_by_rounded_division(tmp_path: Path) -> None:
    deep = RNG.integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    deep[0, :2] = [[0, 128, 129], [65535, 65406, 65407]]
    found = read_image(_save(tmp_path / "deep.png", deep))
    np.testing.assert_array_equal(found, np.rint(deep[..., ::-1] / 257))
    assert found[0, 0].tolist() == [1, 0, 0]
    grey = read_image(_save(tmp_path / "grey.png", deep[..., 0]))
    np.testing.assert_array_equal(grey[..., 2], np.rint(deep[..., 0] / 257))


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_an_image_is_turned_as_a_viewer_shows_it_or_left_as_it_is(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"turned.{suffix}"
    orientation = Image.Exif()
    orientation[0x0112] = 6  # the first row of the file is the right edge of what is shown
    Image.fromarray(PICTURE).save(path, exif=orientation, quality=100)
    np.testing.assert_allclose(read_image(path), np.rot90(PICTURE, -1).astype(int), atol=40 if suffix == "jpg" else 0)
    np.testing.assert_allclose(read_image(path, turned=False), PICTURE.astype(int), atol=40 if suffix == "jpg" else 0)


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    assert read_image(_save(tmp_path / "dot.png", np.full((1, 1, 3), (1, 2, 3), np.uint8))).tolist() == [[[3, 2, 1]]]


@pytest.mark.parametrize("name", ["größe 夜.png", "with space.PNG", "a.b.png", "-rf.png"])
def test_a_path_may_have_any_characters(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "Köln at night"
    folder.mkdir()
    (folder / name).write_bytes(_save(tmp_path / "plain.png", PICTURE[..., ::-1]).read_bytes())
    np.testing.assert_array_equal(read_image(folder / name), PICTURE)


@pytest.mark.parametrize("kind", ["jpg", "progressive jpg", "png"])
def test_an_image_that_was_cut_short_is_an_error_and_never_half_an_image(kind: str, tmp_path: Path) -> None:
    stream = io.BytesIO()
    frame = cv2.resize(PICTURE, (640, 480))  # more than a decoder reads at once
    options = {"quality": 95, "progressive": "progressive" in kind}
    Image.fromarray(frame).save(stream, "PNG" if kind == "png" else "JPEG", **options)
    content = stream.getvalue()
    path = tmp_path / f"cut.{kind[-3:]}"
    path.write_bytes(content)
    whole = read_image(path)
    for share in (0.001, 0.02, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(DataError, match=r"cut\.\w+ is cut short, damaged or no image: replace it"):
            read_image(path)
    # Of its end mark alone a decoder may do without.
    path.write_bytes(content[:-1])
    with contextlib.suppress(DataError):
        np.testing.assert_array_equal(read_image(path), whole)


def test_what_is_no_image_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "frame.jpg"
    for content, reason in ((b"", "is empty"), (b"hello" * 99, "no image"), (b"\xff\xd8\xff", "no image")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=reason) as raised:
            read_image(path)
        assert str(raised.value).startswith(str(path))
    for missing in (tmp_path / "none.jpg", path / "within.jpg"):
        with pytest.raises(DataError, match=r"\.jpg cannot be read: "):
            read_image(missing)
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(DataError, match=r"folder\.jpg cannot be read: Is a directory"):
        read_image(tmp_path / "folder.jpg")


def test_a_damaged_checksum_is_an_error(tmp_path: Path) -> None:
    path = _save(tmp_path / "flipped.png", PICTURE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_image(path)


KINDS = {
    "a JPEG": ("JPEG", {}),
    "a progressive JPEG": ("JPEG", {"progressive": True}),
    "a JPEG with a preview": ("JPEG", {"exif": b"Exif\0\0" + b"\xff\xd8\xff\xc0\0\x11\x08\x7f\xff\x7f\xff" * 9}),
    "a PNG": ("PNG", {}),
    "a TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "a WebP": ("WEBP", {}),
    "a lossless WebP": ("WEBP", {"lossless": True}),
    "a WebP with a profile": ("WEBP", {"icc_profile": b"x" * 99}),
    "a BMP": ("BMP", {}),
    "a GIF": ("GIF", {}),
}


@pytest.mark.parametrize(("kind", "options"), KINDS.values(), ids=KINDS.keys())
def test_of_every_kind_the_size_is_told_before_it_is_decoded(
    kind: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 91 * 300)
    for width, height, fits in ((91, 300, True), (300, 91, True), (92, 300, False), (300, 92, False), (1, 1, True)):
        path = tmp_path / f"{width} x {height}"
        Image.new("RGB", (width, height), (9, 200, 40)).save(path, kind, **options)
        if fits:
            assert read_image(path).shape == (height, width, 3)
            continue
        with monkeypatch.context() as during:
            during.setattr(cv2, "imdecode", None)
            with pytest.raises(DataError) as raised:
                read_image(path)
        assert str(raised.value) == (
            f"{path} is {width} x {height} pixels, and 27,300 together are the most: scale it down, or remove it and "
            "its labels."
        )


def test_a_tiff_may_have_its_highest_byte_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grey.tif"
    # A table of tag, kind (3: 16 bits, 4: 32), count and value; then the pixels.
    tags = {
        256: (3, 300),
        257: (4, 91),
        258: (3, 8),
        259: (3, 1),
        262: (3, 1),
        273: (4, 122),
        277: (3, 1),
        278: (4, 91),
    }
    tags[279] = (4, 300 * 91)
    table = b"".join(
        struct.pack(">HHI", tag, kind, 1) + struct.pack(">HH" if kind == 3 else ">I", *([value, 0][: 5 - kind]))
        for tag, (kind, value) in tags.items()
    )
    path.write_bytes(b"MM\0*\0\0\0\x08" + struct.pack(">H", len(tags)) + table + bytes(4) + b"\x33" * (300 * 91))
    monkeypatch.setattr(images, "MOST_PIXELS", 300 * 91)
    assert read_image(path).shape == (91, 300, 3)
    monkeypatch.setattr(images, "MOST_PIXELS", 300 * 91 - 1)
    images._decode.cache_clear()
    with pytest.raises(DataError, match="is 300 x 91 pixels"):
        read_image(path)


def test_a_small_file_that_unpacks_to_more_than_a_gigabyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    zeros = zlib.compress(bytes(1_000_000), 9)
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zeros), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )
    with pytest.raises(DataError, match=r"bomb\.png is 20000 x 20000 pixels, and 134,217,728 together are the most"):
        read_image(path)


@pytest.mark.parametrize(
    "content", [b"P6 5 4 255\n" + bytes(60), b"\xff\xd8\xff\xe0\0", b"RIFF\0\0\0\0WEBPVP8X", b"II*\0\xff"]
)
def test_of_what_has_no_size_that_is_known_nothing_is_decoded(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match="no image: replace it by a JPEG, PNG, TIFF, WebP, BMP or GIF"):
        read_image(path)


def test_an_image_is_decoded_once_for_all_who_ask_and_nobody_can_change_it(tmp_path: Path) -> None:
    path = _save(tmp_path / "picture.png", PICTURE)
    first = read_image(path)
    assert read_image(path) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 0


def test_an_image_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    sizes = []
    for number, picture in enumerate((PICTURE, 255 - PICTURE)):
        Image.fromarray(picture).save(path, compress_level=0)
        os.utime(path, ns=(number, number))
        sizes.append(path.stat().st_size)
        np.testing.assert_array_equal(read_image(path), picture)
    assert sizes[0] == sizes[1], "the time alone tells them apart"
