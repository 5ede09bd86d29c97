"""Verified downloads: a file is absent or whole, and its bytes are those that were asked for.

Beside a destination `x` two more files may lie: `x.part`, the bytes that have arrived so far, which the next
call goes on from, and `x.lock`, which keeps two processes from downloading at once. The lock file goes when
the download has succeeded; after a failure it stays, empty and harmless, because another process may already
be waiting on it.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from msgspec import Meta, Struct

from data_access.errors import DataError

if TYPE_CHECKING:
    from requests import Response
    from tqdm import tqdm

_CONNECT_TIMEOUT_S = 10.0
_QUIET_S = 2.0
_CHUNK_BYTES = 1 << 16

MOST_UNSTATED = 16 * 2**30
"""Bytes of a file whose size nobody knows beforehand: a server may send without end."""


class RemoteFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file on the network, as a settings file or code names it.

    Attributes:
        urls: mirrors, in the order to try them.
        sha256: of the content, in hex.
        size: in bytes, where known; else `MOST_UNSTATED` are the most.
    """

    urls: Annotated[tuple[str, ...], Meta(min_length=1)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]
    size: Annotated[int, Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        # msgspec holds settings to the annotations, but not a call.
        if not self.urls:
            raise ValueError("A remote file needs at least one URL.")
        if not re.fullmatch("[0-9a-fA-F]{64}", self.sha256):
            raise ValueError(f"A sha256 has 64 hexadecimal digits, got {self.sha256!r}.")


class _MirrorError(Exception):
    """Why one URL did not give the file, in a few words."""


def fetch(file: RemoteFile, destination: Path, *, timeout: float = 60.0) -> Path:
    """Path of the file, which is downloaded and checked against its sha256 where it is missing.

    A destination that exists is returned at once and not hashed (see `verify`); so a file put there by hand
    serves. Its folder is created. An interrupted download, Ctrl-C included, goes on where it stopped at the
    next call. Any number of processes may call at once: one downloads, the others wait.

    Args:
        timeout: seconds without a byte from a server after which the next mirror is tried. Connecting is
            given 10 s at most.

    Raises:
        DataError: no mirror gave the right bytes and no more, or the folder cannot be written. The message has
            at most three lines: what failed and where to put the file by hand.
    """
    if destination.is_file():
        return destination
    if destination.is_dir():
        raise DataError(f"{destination} is a folder where a file belongs: move it away and start again.")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with _sole_writer(destination):
            if not destination.is_file():
                _download(file, destination, timeout)
    except OSError as error:
        raise DataError(
            f"{destination} cannot be written: {error.strerror or error}.\n"
            "Make room or make its folder writable, or set LEAP_DATA_ROOT to another folder."
        ) from error
    return destination


def verify(path: Path, sha256: str) -> None:
    """Check a file's content against a sha256 in hex.

    Raises:
        DataError: the content differs or the file cannot be read.
    """
    try:
        actual = _sha256(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}. Put the file there, or make it readable."
        ) from error
    if actual != sha256.lower():
        raise DataError(
            f"{path} has the wrong content: its sha256 is {actual}, expected is {sha256.lower()}. "
            "Delete the file and start again: it is then fetched anew."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


@contextmanager
def _sole_writer(destination: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock_path = destination.with_name(destination.name + ".lock")
    lock = FileLock(lock_path)
    try:
        lock.acquire(timeout=_QUIET_S)
    except Timeout:
        print(f"Waiting for another process that is downloading {destination} ...", file=sys.stderr)
        lock.acquire()
    try:
        yield
        # Removing a lock that others wait on lets a newcomer lock a new file of that name beside them. With
        # the destination in place that is harmless, since all of them then find it; before, it is not.
        if destination.is_file():
            with suppress(OSError):
                lock_path.unlink()
    finally:
        lock.release()


def _download(file: RemoteFile, destination: Path, timeout: float) -> None:
    part = destination.with_name(destination.name + ".part")
    failures = []
    for url in file.urls:
        try:
            _complete(url, file, part, timeout)
        except _MirrorError as error:
            failures.append(f"{url} ({error})")
        else:
            part.replace(destination)
            return
    raise DataError(
        f"{destination.name} could not be downloaded: {'; '.join(failures)}.\n"
        f"Start again when the network is back, or put the file by hand at {destination}\n"
        f"(expected sha256: {file.sha256.lower()})."
    )


def _complete(url: str, file: RemoteFile, part: Path, timeout: float) -> None:
    """Bring the partial file to the whole, verified one."""
    while True:
        offset = part.stat().st_size if part.exists() else 0
        _transfer(url, file, part, offset, timeout)
        arrived = part.stat().st_size
        if file.size is not None and arrived < file.size:
            raise _MirrorError(f"broke off after {arrived} of {file.size} bytes")
        most = file.size or MOST_UNSTATED
        if arrived > most:
            fault = f"sends more than the {most} bytes that are expected at most"
        else:
            actual = _sha256(part)
            if actual == file.sha256.lower():
                return
            fault = f"wrong content, sha256 {actual}"
        part.unlink()
        # What lay there before may be of another version of the file: only a whole transfer condemns the
        # mirror.
        if offset == 0:
            raise _MirrorError(fault)


def _transfer(url: str, file: RemoteFile, part: Path, offset: int, timeout: float) -> None:
    """Append what the server still has to the partial file, or write it anew where it cannot resume."""
    if file.size is not None and offset >= file.size:
        return
    import requests
    from urllib3.exceptions import HTTPError

    # A content encoding would make ranges and sizes those of the encoded bytes.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        with requests.get(
            url, headers=headers, stream=True, timeout=(min(_CONNECT_TIMEOUT_S, timeout), timeout)
        ) as response:
            if offset and response.status_code == requests.codes.requested_range_not_satisfiable:
                return  # nothing is left to send, or the partial file is a wrong one: its checksum tells
            start = _start_of_body(response, offset)
            total = _announced_size(response, start)
            if total is not None and (total > MOST_UNSTATED if file.size is None else total != file.size):
                expected = file.size or f"at most {MOST_UNSTATED}"
                raise _MirrorError(f"offers {total} bytes where {expected} are expected")
            with (
                part.open("r+b" if offset else "wb") as output,
                _progress(part.stem, start, total) as progress,
            ):
                output.seek(start)
                output.truncate()
                for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                    output.write(chunk)
                    progress.update(len(chunk))
                    if output.tell() > (file.size or MOST_UNSTATED):
                        break  # too long to be the file
                output.flush()
                os.fsync(output.fileno())
    except (requests.RequestException, HTTPError) as error:
        raise _MirrorError(_reason(error)) from error


def _start_of_body(response: "Response", offset: int) -> int:
    """Position in the file of the first byte that the server sends."""
    if response.status_code == 200:
        return 0
    if response.status_code != 206:
        raise _MirrorError(f"HTTP {response.status_code} {response.reason}")
    matched = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if matched is None or int(matched[1]) > offset:
        raise _MirrorError("answers with another range than the one that was asked for")
    return int(matched[1])


def _announced_size(response: "Response", start: int) -> int | None:
    """Size of the whole file in bytes by what the server says; None where it does not."""
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _progress(name: str, start: int, total: int | None) -> "tqdm[NoReturn]":
    from tqdm import tqdm

    # A log gets a bar for long transfers alone, and few lines of it; a person at a terminal gets one at once.
    watched = sys.stderr.isatty()
    return tqdm(
        desc=name,
        initial=start,
        total=total,
        unit="B",
        unit_scale=True,
        delay=0 if watched else _QUIET_S,
        mininterval=0.1 if watched else 5 * _QUIET_S,
        file=sys.stderr,
    )


def _reason(error: BaseException) -> str:
    """What went wrong in a few words: those of the operating system, without what libraries wrap around."""
    from requests import Timeout
    from urllib3.exceptions import ProtocolError, TimeoutError

    if isinstance(error, Timeout | TimeoutError):
        return "no answer in time"
    cause: BaseException | None = error
    while isinstance(cause, BaseException):
        if isinstance(cause, ProtocolError):
            return "the connection broke off"
        if isinstance(cause, OSError) and cause.strerror:
            return f"no connection: {cause.strerror}"
        # Not `__context__`: it also holds what the caller of `fetch` was handling.
        cause = cause.__cause__ or getattr(cause, "reason", None) or next(iter(cause.args), None)
    return " ".join(str(error).split())
