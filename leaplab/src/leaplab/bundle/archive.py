"""The archive of a bundle: the same files give the same bytes."""

import gzip
import os
import stat
import tarfile
from pathlib import Path

from leaplab.bundle.listing import Listing
from leaplab.errors import LeaplabError
from leaplab.files import written_aside


def write_archive(listing: Listing, root: Path, destination: Path) -> None:
    """Write the files of `listing`, which lie below `root`, to a tar.gz.

    Names are sorted; times, owners and permissions but for the owner's right to execute are left out, so that the
    same files give the same bytes (with the same zlib).

    Raises:
        LeaplabError: a file changed its size since it was listed or cannot be read, the destination is a file of
            the bundle or cannot be written. The destination is then as it was.
    """
    destination = destination.expanduser().resolve()
    if destination.is_relative_to(root) and destination.relative_to(root).as_posix() in listing.paths:
        raise LeaplabError(
            f"{destination} is a file of the bundle itself; write the archive elsewhere, or exclude it in leap.yaml."
        )
    try:
        with (
            written_aside(destination) as aside,
            aside.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for entry in listing.files:
                _add(archive, root / entry.path, entry.path, entry.size)
    except OSError as error:
        raise LeaplabError(f"{destination} cannot be written: {error.strerror or error}.") from error


def unpack_archive(archive: Path, folder: Path) -> None:
    """Unpack the regular files of a tar.gz below `folder`.

    Raises:
        LeaplabError: it cannot be read, or an entry is no regular file or leads outside the folder.
    """
    folder = folder.resolve()
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for member in opened:
                target = (folder / member.name).resolve()
                content = opened.extractfile(member) if member.isreg() else None
                if content is None or not target.is_relative_to(folder):
                    raise LeaplabError(f"{archive}: '{member.name}' is no file that may be unpacked; write it anew.")
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, target.open("wb") as file:
                    while block := content.read(1 << 20):
                        file.write(block)
                target.chmod(member.mode & 0o755 | 0o600)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise LeaplabError(f"{archive} cannot be unpacked: {error}.") from error


def _add(archive: tarfile.TarFile, path: Path, name: str, size: int) -> None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            member = tarfile.TarInfo(name)
            member.size = size
            member.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
            if status.st_size == size:
                archive.addfile(member, file)
                if not file.read(1):
                    return
    except OSError as error:
        # tarfile has no other way to say that a file ended early.
        if error.errno is not None:
            raise LeaplabError(f"{path} cannot be read: {error.strerror}.") from error
    raise LeaplabError(f"{path} changed while it was packed; wait until nothing writes to it and run this again.")
