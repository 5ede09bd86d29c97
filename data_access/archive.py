"""Unpacking of archives that nobody has looked into."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import IO, cast

from data_access.errors import DataError

LEAST_ALLOWED = 2**30
MOST_TIMES = 100
"""An archive may unpack to `LEAST_ALLOWED` bytes, or to so many times its own."""

_AT_ONCE = 1 << 20
"""Bytes: more than any header of a tar has."""

_END_RECORD = struct.Struct("<4s6xH10x")
_ZIP64 = 0xFFFF
"""Stands for a number that is held elsewhere, because it may be larger."""

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)


def extract(archive: Path, destination: Path, *, folder: str | None = None) -> Path:
    """Unpack a tar (plain, .gz, .bz2, .xz) or zip archive, told by its content, into the folder given.

    A destination that holds anything is returned at once: it only ever appears whole, because the archive is
    unpacked into a temporary folder beside it (`.NAME.*`, left behind only where the process is killed) and
    renamed.

    Args:
        folder: where given, this folder of the archive becomes the destination, not the archive's top; what
            lies outside it is dropped.

    Raises:
        DataError: the archive is missing, damaged or encrypted, has no such folder, or holds an entry that is
            neither file, folder nor link, or that would reach outside of the destination (an absolute path,
            `..`, a drive, a link that leads out or nowhere; in a zip, any link); or it would unpack to more than
            `LEAST_ALLOWED` and `MOST_TIMES` its own bytes; or the destination cannot be written.
    """
    if _is_filled(destination):
        return destination
    if not archive.is_file():
        raise DataError(f"{archive} does not exist: put the archive there and start again.")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        # A folder within: the temporary one is readable by its owner alone, the dataset has the usual
        # permissions.
        aside = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
        try:
            content = aside / "content"
            content.mkdir()
            links = _unpack(archive, content)
            source = content if folder is None else content.joinpath(*_inner_path(archive, folder))
            if not source.is_dir():
                raise DataError(f"{archive} holds no folder '{folder}': it is another archive than the one expected.")
            _refuse_links_out(archive, links, source)
            _put_in_place(source, destination)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"{archive} could not be unpacked to {destination}: {error.strerror or error}. "
            "Make room or make the folder writable, or set LEAP_DATA_ROOT to another folder."
        ) from error
    return destination


def _is_filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _put_in_place(source: Path, destination: Path) -> None:
    try:
        source.rename(destination)
    except OSError:
        # Another process that unpacked the same archive may have been first.
        if not _is_filled(destination):
            raise


def _unpack(archive: Path, content: Path) -> list[Path]:
    """Unpack into an existing empty folder; the symbolic links that were made there."""
    damaged = DataError(f"{archive} is damaged, incomplete or no archive: delete it and fetch it again.")
    try:
        with archive.open("rb") as opened:
            # By its first bytes: `zipfile.is_zipfile` also takes a tar whose last entry is a zip for a zip.
            is_zip = opened.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
        if not is_zip:
            return _unpack_tar(archive, content)
        _unpack_zip(archive, content)
        return []
    except _DAMAGED as error:
        raise damaged from error
    except OSError as error:
        # gzip and bz2 report bad content as an OSError that the operating system knows nothing of.
        if error.errno is None:
            raise damaged from error
        raise
    except RuntimeError as error:
        raise DataError(
            f"{archive} is encrypted or compressed in an unknown way ({error}): unpack it by hand."
        ) from error


def _refusal(archive: Path, entry: str, reason: str) -> DataError:
    return DataError(
        f"{archive} was not unpacked: its entry '{entry}' {reason}. Get the archive from a source that you trust."
    )


def _inner_path(archive: Path, entry: str) -> tuple[str, ...]:
    """An entry's path below the destination, in parts; both kinds of slash separate, on any system."""
    path = PureWindowsPath(entry)
    if path.anchor or ".." in path.parts:
        raise _refusal(archive, entry, "lies outside of the folder")
    return path.parts


def _unpack_zip(archive: Path, content: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        # None gives more than it states: zipfile stops there.
        if sum(entry.file_size for entry in opened.infolist()) > _most_bytes(archive):
            raise _bomb(archive)
        for entry in opened.infolist():
            inner = _inner_path(archive, entry.filename)
            # Other makers than Unix leave the kind at 0.
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refusal(archive, entry.filename, "is a link or a device")
            if inner:
                is_folder = entry.filename.endswith(("/", "\\"))
                entry.filename = "/".join(inner) + ("/" if is_folder else "")
                opened.extract(entry, content)
        # zipfile never compares the entries that it found with the number that the directory's end record
        # gives: damage in the directory may hide some.
        with archive.open("rb") as raw:
            raw.seek(-_END_RECORD.size - len(opened.comment), os.SEEK_END)
            signature, number = _END_RECORD.unpack(raw.read(_END_RECORD.size))
        if signature == b"PK\x05\x06" and number not in (_ZIP64, len(opened.infolist())):
            raise zipfile.BadZipFile("entries are missing")


def _unpack_tar(archive: Path, content: Path) -> list[Path]:
    if not hasattr(tarfile, "data_filter"):
        raise DataError(f"{archive} cannot be unpacked safely by this Python: update it to 3.11.4 or later.")
    links: set[tuple[str, ...]] = set()
    with _decompressed(archive) as raw, tarfile.open(fileobj=_Bounded(archive, raw), mode="r:") as opened:
        opened.extractall(content, filter=_gate(archive, links))
        # A tar cut between two entries reads like a shorter one: only the closing block of zeros tells.
        compressed = opened.fileobj
        assert compressed is not None
        compressed.seek(opened.offset)
        if len(compressed.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
            raise tarfile.ReadError("no end-of-archive block")
        # gzip compares its checksum at the very end, which tarfile has no reason to reach.
        while compressed.read(_AT_ONCE):
            pass
    return [content.joinpath(*link) for link in sorted(links)]


def _decompressed(archive: Path) -> IO[bytes]:
    with archive.open("rb") as opened:
        start = opened.read(6)
    if start.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(archive))
    if start.startswith(b"BZh"):
        return bz2.open(archive)
    if start.startswith((b"\xfd7zXZ\0", b"\x5d\0\0")):
        return lzma.open(archive)
    return archive.open("rb")


class _Bounded(io.RawIOBase):
    """A tar that ends: tarfile itself reads on as long as there is something, and a header as large as it says."""

    def __init__(self, archive: Path, opened: IO[bytes]) -> None:
        self._archive, self._opened, self._most = archive, opened, _most_bytes(archive)

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _AT_ONCE:
            raise tarfile.ReadError("a header without end")
        content = self._opened.read(size)
        self._check(self._opened.tell())
        return content

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        assert whence == os.SEEK_SET, "tarfile seeks from the start"
        self._check(place)
        return self._opened.seek(place)

    def tell(self) -> int:
        return self._opened.tell()

    def _check(self, place: int) -> None:
        if place > self._most:
            raise _bomb(self._archive)


def _most_bytes(archive: Path) -> int:
    return max(LEAST_ALLOWED, MOST_TIMES * archive.stat().st_size)


def _bomb(archive: Path) -> DataError:
    return DataError(
        f"{archive} was not unpacked: it would unpack to more than {_most_bytes(archive):,} bytes, which is too much "
        "for its size. Get the archive from a source that you trust, or unpack it by hand."
    )


def _gate(archive: Path, links: set[tuple[str, ...]]) -> Callable[[tarfile.TarInfo, str], tarfile.TarInfo | None]:
    """An extraction filter that raises on the first entry that could reach outside; notes the symbolic links.

    Stricter than tarfile's own data filter, which it applies too: that one strips the leading slash of an
    absolute path and resolves `..`, and several ways around its resolution of links were found. Here nothing
    is ever written or linked through a symbolic link, so where a link leads can be checked once all of them
    are there.
    """

    def crosses_link(path: tuple[str, ...]) -> bool:
        return any(path[:length] in links for length in range(1, len(path) + 1))

    def passed(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
        if member.size > _most_bytes(archive):  # a file of holes takes more room than bytes in the archive
            raise _bomb(archive)
        inner = _inner_path(archive, member.name)
        if crosses_link(inner):
            raise _refusal(archive, member.name, "would be written through a link")
        if member.islnk() and crosses_link(_inner_path(archive, member.linkname)):
            raise _refusal(archive, member.name, "is a link that leads through another one")
        if member.issym():
            links.add(inner)
        try:
            return tarfile.data_filter(member, folder)
        except tarfile.SpecialFileError as error:
            raise _refusal(archive, member.name, "is a device or a pipe") from error
        except tarfile.FilterError as error:
            raise _refusal(archive, member.name, "leads out of the folder") from error

    return passed


def _refuse_links_out(archive: Path, links: list[Path], source: Path) -> None:
    top = Path(os.path.realpath(source))
    for link in links:
        if not link.is_relative_to(source):
            continue
        entry = link.relative_to(source).as_posix()
        try:
            target = Path(os.path.realpath(link, strict=True))
        except OSError as error:
            raise _refusal(archive, entry, "is a link to nothing") from error
        if not target.is_relative_to(top):
            raise _refusal(archive, entry, "is a link that leads out of the folder")
