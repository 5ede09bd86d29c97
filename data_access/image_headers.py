"""How large an image is, by the header of its file: OpenCV tells only once it has made room for the pixels.

By the formats' specifications: PNG (W3C, IHDR), JPEG (ITU-T T.81, B.2.2), BMP, GIF89a, WebP (RFC 9649), TIFF 6.0.
"""

import struct

KINDS = "JPEG, PNG, TIFF, WebP, BMP or GIF"
"""What is read here."""

_WIDTH, _HEIGHT = 256, 257
"""Tags of TIFF."""


def stated_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels that the header states; None where it is none of `KINDS`, or was cut short."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", content, 16)
        elif content.startswith(b"\xff\xd8"):
            return _of_jpeg(content)
        elif content.startswith((b"II*\0", b"MM\0*")):
            return _of_tiff(content)
        elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _of_webp(content)
        elif content.startswith(b"BM"):
            old = struct.unpack_from("<I", content, 14)[0] == 12
            width, height = struct.unpack_from("<HH" if old else "<ii", content, 18)
        elif content.startswith((b"GIF87a", b"GIF89a")):
            width, height = struct.unpack_from("<HH", content, 6)
        else:
            return None
    except struct.error:
        return None
    return abs(width), abs(height)  # a BMP from top to bottom has a negative height


def _of_jpeg(content: bytes) -> tuple[int, int] | None:
    place = 0
    # What lies between segments is passed over by decoders too.
    while (place := content.find(0xFF, place)) >= 0:
        (marker,) = struct.unpack_from("B", content, place + 1)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame, not a table
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        if marker == 0xFF or marker == 0 or 0xD0 <= marker <= 0xD8 or marker == 0x01:  # filling, or of no length
            place += 1 if marker == 0xFF else 2
        else:
            place += 2 + struct.unpack_from(">H", content, place + 2)[0]
    return None


def _of_tiff(content: bytes) -> tuple[int, int] | None:
    order = "<" if content.startswith(b"II") else ">"
    (first,) = struct.unpack_from(f"{order}I", content, 4)
    (count,) = struct.unpack_from(f"{order}H", content, first)
    found: dict[int, int] = {}
    for entry in range(first + 2, first + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}HH", content, entry)
        if tag in (_WIDTH, _HEIGHT):
            found[tag] = struct.unpack_from(f"{order}H" if kind == 3 else f"{order}I", content, entry + 8)[0]
    return (found[_WIDTH], found[_HEIGHT]) if len(found) == 2 else None


def _of_webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and len(content) >= 30:
        width, height = (int.from_bytes(content[place : place + 3], "little") + 1 for place in (24, 27))
        return width, height
    return None
