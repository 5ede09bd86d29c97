"""Runs at a URL that fsspec reaches, by folders of this machine's cache that stand for them.

CACHE/remote/NAME-DIGEST/
  .remote.json          the URL of the folder of runs that this one stands for
  RUN/                  manifest and entries of the parts, as they are there; any other file once it was needed
  RUN/derived/, .notes/ what analyses made of the runs here, and what a person added here

A file is known by the size and the checksum that its part's entry has, so that none is fetched twice and none is taken
for another. A part is written with its entry last, as in a folder.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec

from leaplab.errors import LeaplabError
from leaplab.files import cache_folder, file_name, write_json, written_aside
from leaplab.store.parts import FileEntry, PartEntry, entry_path, written_entry

MARK = ".remote.json"
LISTED = ".listed.json"
"""In the folder of a run: entry of a part -> what the listing said of it when it was fetched."""
VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "last_modified", "updated", "mtime", "created")
"""What listings of stores tell of a file that changes when it does."""
AT_ONCE = 64
"""Files that are fetched at once."""
ALSO = "history.csv"
"""Of a run, beside its manifest and parts."""


def runs_folder(place: str | os.PathLike[str]) -> Path:
    """The folder of all runs at a path or a URL; the one in the cache that stands for it where that is remote.

    Raises:
        LeaplabError: fsspec, or what it needs for the URL, is not installed.
    """
    url = os.fspath(place)
    if "://" not in url:
        return Path(url)
    url = url.rstrip("/")
    if url.startswith(("file://", "local://")):
        return Path(url.partition("://")[2])
    _file_system(url)
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    folder = cache_folder() / "remote" / f"{file_name(url.rpartition('/')[2])}-{digest}"
    if not (folder / MARK).is_file():
        write_json(folder / MARK, {"url": url})
    return folder


def run_folder(place: str | os.PathLike[str]) -> Path:
    """The folder of a run at a path or a URL, or a run's name as it is; see `runs_folder`."""
    url = os.fspath(place)
    if "://" not in url:
        return Path(url)
    above, _, name = url.rstrip("/").rpartition("/")
    if above.endswith((":", "/")):
        raise LeaplabError(f"{url} names no run below a folder of runs; name one, as in s3://BUCKET/RUN.")
    return runs_folder(above) / name


def remote_of(run: Path) -> "RemoteRun | None":
    """Where a run lies whose folder only stands for it; None for any other folder."""
    url = _url_of(run.absolute().parent)
    return None if url is None else RemoteRun(f"{url}/{run.name}", run.absolute())


def remote_names(runs: Path) -> list[str]:
    """The names of the runs that a folder stands for; none for any other folder.

    Raises:
        LeaplabError: their place cannot be listed.
    """
    url = _url_of(runs)
    if url is None:
        return []
    with _telling(url):
        system, root = _file_system(url)
        found = system.glob(f"{root}/*/manifest.json")
    return sorted(path.split("/")[-2] for path in found)


class RemoteRun:
    """A run at a URL, and the folder that stands for it.

    Every function raises a LeaplabError where the URL cannot be reached.

    Args:
        url: of the run.
        folder: that stands for it.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._folder = url, folder

    def refresh(self) -> None:
        """Fetch the manifest and the entries of the parts where they have changed, and drop files that are others now.

        What is not there is not here, either, from then on.
        """
        if not self.fetch_manifest():
            return
        with self._reached() as (system, root):
            listed = _listed(system, f"{root}/parts")
            if listed is None:  # a place that cannot be listed
                manifest = msgspec.json.decode((self._folder / "manifest.json").read_bytes())
                listed = {f"{part['number']:05d}.json": None for part in manifest["parts"]}
            kept = _listing(self._folder)
            here = {path.name for path in (self._folder / "parts").glob("[0-9]*.json")}
            wanted = [
                name for name, told in listed.items() if told is None or kept.get(name) != told or name not in here
            ]
            found = system.cat([f"{root}/parts/{name}" for name in wanted], on_error="return") if wanted else {}
            if isinstance(found, bytes):  # a list of one
                found = {f"{root}/parts/{wanted[0]}": found}
            contents = {path.rpartition("/")[2]: content for path, content in found.items()}
            for content in contents.values():
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
            history = _cat(system, f"{root}/{ALSO}")
        for name in here:
            if name not in listed or (name in wanted and not isinstance(contents.get(name), bytes)):
                self._drop(name)
        for name in wanted:
            if isinstance(content := contents.get(name), bytes):
                self._take(name, content)
        self._write(ALSO, history)
        write_json(self._folder / LISTED, {name: told for name, told in listed.items() if told is not None})

    def fetch_manifest(self) -> bool:
        """Fetch the manifest; whether there is one."""
        with self._reached() as (system, root):
            content = _cat(system, f"{root}/manifest.json")
        self._write("manifest.json", content)
        return content is not None

    def fetch(self, files: Mapping[str, FileEntry]) -> None:
        """Have some files here.

        Args:
            files: path below the run -> the file.

        Raises:
            LeaplabError: one is not there, or is not what was written.
        """
        wanted = [path for path, file in files.items() if not _is_here(self._folder / path, file)]
        for start in range(0, len(wanted), AT_ONCE):
            with self._reached() as (system, root), ExitStack() as written:
                paths = wanted[start : start + AT_ONCE]
                asides = [written.enter_context(written_aside(self._folder / path)) for path in paths]
                system.get([f"{root}/{path}" for path in paths], list(map(str, asides)))
                for path, aside in zip(paths, asides, strict=True):
                    with aside.open("rb") as opened:
                        digest = hashlib.file_digest(opened, "sha256").hexdigest()
                    if digest != files[path].sha256:
                        raise LeaplabError(
                            f"{self.url}/{path} is not what was written; evaluate that run again, which mends it."
                        )

    def put(self, paths: Iterable[str]) -> None:
        """Write files of this folder to the URL, and keep none of them here."""
        for path in paths:
            self._put(path)
            (self._folder / path).unlink()

    def put_entry(self, number: int) -> None:
        """Write the entry of a part to the URL, where the part counts from then on."""
        self._put(entry_path(self._folder, number).relative_to(self._folder).as_posix())

    def put_manifest(self) -> None:
        """Write the manifest to the URL."""
        self._put("manifest.json")

    def put_history(self) -> None:
        """Write the history to the URL."""
        self._put(ALSO)

    def is_whole(self, entry: PartEntry) -> bool:
        """Whether each file of a part is there and of its size."""
        with self._reached() as (system, root):
            try:
                found = system.sizes([f"{root}/{path}" for path in entry.files])
            except FileNotFoundError:
                return False
        return list(found) == [file.size for file in entry.files.values()]

    def damaged(self, entry: PartEntry) -> list[str]:
        """The files of a part whose content is not what was written: their paths below the run."""
        damaged = []
        for path, file in entry.files.items():
            with self._reached() as (system, root):
                try:
                    with system.open(f"{root}/{path}", "rb") as opened:
                        same = hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
                except FileNotFoundError:
                    same = False
            if not same:
                damaged.append(path)
        return damaged

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files, there and here."""
        for path in paths:
            with self._reached() as (system, root):
                if system.exists(f"{root}/{path}"):
                    system.rm_file(f"{root}/{path}")
            (self._folder / path).unlink(missing_ok=True)

    def is_taken(self) -> bool:
        """Whether anything is there."""
        with self._reached() as (system, root):
            return bool(system.exists(root) and system.find(root))

    def remove(self) -> None:
        """Delete the run. One that is interrupted leaves a run of which parts are missing."""
        with self._reached() as (system, root):

            def order(path: str) -> tuple[bool, bool]:
                return path == f"{root}/manifest.json", not path.startswith(f"{root}/parts/")

            for path in sorted(system.find(root), key=order):
                system.rm_file(path)

    @contextmanager
    def _reached(self) -> Iterator[tuple[Any, str]]:
        with _telling(self.url):
            yield _file_system(self.url)

    def _put(self, path: str) -> None:
        with self._reached() as (system, root):
            system.put_file(str(self._folder / path), f"{root}/{path}")

    def _write(self, path: str, content: bytes | None) -> None:
        if content is None:
            (self._folder / path).unlink(missing_ok=True)
            return
        with written_aside(self._folder / path) as aside:
            aside.write_bytes(content)

    def _take(self, name: str, content: bytes) -> None:
        """Put an entry here, and drop the files of the former one that are others now."""
        number = int(name.partition(".")[0])
        former = written_entry(self._folder, number)
        self._write(f"parts/{name}", content)
        current = written_entry(self._folder, number)
        for path, file in former.files.items() if former else ():
            if current is None or current.files.get(path) != file:
                (self._folder / path).unlink(missing_ok=True)

    def _drop(self, name: str) -> None:
        self._take(name, b"")
        (self._folder / "parts" / name).unlink()


def _url_of(runs: Path) -> str | None:
    try:
        content = (runs / MARK).read_bytes()
    except OSError:
        return None
    return cast(str, msgspec.json.decode(content)["url"])


def _listing(folder: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode((folder / LISTED).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}  # all is fetched anew


def _listed(system: Any, folder: str) -> dict[str, str | None] | None:
    """Entry of a part -> what tells whether it has changed, or None; None where a place cannot be listed."""
    try:
        found = system.ls(folder, detail=True)
    except FileNotFoundError:
        return {} if "http" not in _protocols(system) else None
    except NotImplementedError:
        return None
    told: dict[str, str | None] = {}
    for info in found:
        name = info["name"].rstrip("/").rpartition("/")[2]
        if name.endswith(".json") and name[:-5].isdigit():
            versions = [str(info[key]) for key in VERSIONS if info.get(key) is not None]
            told[name] = " ".join([*versions, str(info.get("size"))]) if versions else None
    return told


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def _cat(system: Any, path: str) -> bytes | None:
    try:
        return cast(bytes, system.cat_file(path))
    except FileNotFoundError:
        return None


def _is_here(path: Path, file: FileEntry) -> bool:
    try:
        return path.stat().st_size == file.size
    except OSError:
        return False


def _file_system(url: str) -> tuple[Any, str]:
    """fsspec's file system for a URL, and the path in it.

    Raises:
        LeaplabError: fsspec, or what it needs for the URL, is not installed.
    """
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise LeaplabError(
            f"{url} needs fsspec, which is not installed here; install it by `pip install 'leaplab[remote]'`."
        ) from None
    try:
        system, path = url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise LeaplabError(
            f"{url} cannot be opened ({error}); install what fsspec needs for it, or correct it."
        ) from None
    return system, path.rstrip("/")


@contextmanager
def _telling(url: str) -> Iterator[None]:
    try:
        yield
    except LeaplabError:
        raise
    except Exception as error:  # each store has errors of its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise LeaplabError(f"{url} cannot be reached ({reason}); see to the address and what opens it.") from error
