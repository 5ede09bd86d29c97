import gzip
import io
import random
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from data_access import DataError, archive, extract

CONTENT = {
    "set/a.txt": b"alpha",
    "set/images/b.bin": random.Random(1).randbytes(5000),
    "set/images/zeros.bin": bytes(1024),
    "readme": b"",
}
SUFFIXES = ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"]


def packed(path: Path, content: dict[str, bytes] = CONTENT) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, data in content.items():
                zipped.writestr(name, data)
        return path
    mode = path.suffix.removeprefix(".").replace("tar", "")
    with tarfile.open(path, f"w:{mode}") as tarred:  # type: ignore[call-overload]
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tarred.addfile(entry, io.BytesIO(data))
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everything_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_is_unpacked_whole(suffix: str, tmp_path: Path) -> None:
    source = packed(tmp_path / f"data.{suffix}")
    destination = tmp_path / "deep/data"
    assert extract(source, destination) == destination
    assert files_below(destination) == CONTENT
    assert everything_below(tmp_path / "deep") == {
        "data",
        *(f"data/{name}" for name in ("readme", "set", "set/a.txt", "set/images")),
        *(f"data/set/images/{name}" for name in ("b.bin", "zeros.bin")),
    }


@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_the_kind_is_told_by_the_content(suffix: str, tmp_path: Path) -> None:
    source = packed(tmp_path / f"data.{suffix}").rename(tmp_path / "nameless")
    assert files_below(extract(source, tmp_path / "out")) == CONTENT


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = packed(tmp_path / "inner.zip").read_bytes()
    source = packed(tmp_path / "outer.tar", {"inner.zip": inner})
    assert files_below(extract(source, tmp_path / "out")) == {"inner.zip": inner}


@pytest.mark.parametrize("suffix", ["tar.gz", "zip"])
def test_one_folder_of_an_archive_becomes_the_destination(suffix: str, tmp_path: Path) -> None:
    source = packed(tmp_path / f"data.{suffix}")
    destination = extract(source, tmp_path / "set", folder="set")
    assert set(files_below(destination)) == {"a.txt", "images/b.bin", "images/zeros.bin"}
    assert everything_below(tmp_path) & {"readme", "set/readme"} == set()
    with pytest.raises(DataError, match="holds no folder 'sets'"):
        extract(source, tmp_path / "other", folder="sets")
    assert not (tmp_path / "other").exists()


def test_the_folder_is_readable_by_those_who_may_read_others(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    destination = extract(packed(tmp_path / "data.tar"), tmp_path / "out")
    assert stat.S_IMODE(destination.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_filled_destination_is_left_alone(tmp_path: Path) -> None:
    destination = tmp_path / "out"
    destination.mkdir()
    (destination / "mine").write_text("kept")
    assert extract(tmp_path / "not there.tar", destination) == destination
    assert files_below(destination) == {"mine": b"kept"}


def test_an_empty_destination_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert files_below(extract(packed(tmp_path / "data.tar"), tmp_path / "out")) == CONTENT


def test_two_at_once_both_get_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Both have unpacked before either renames.
    barrier = threading.Barrier(2, timeout=10)
    monkeypatch.setattr(archive, "_refuse_links_out", lambda *_: barrier.wait())
    source, destination = packed(tmp_path / "data.tar"), tmp_path / "out"
    results: list[Path] = []
    threads = [threading.Thread(target=lambda: results.append(extract(source, destination))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [destination] * 2
    assert files_below(destination) == CONTENT
    assert {path.name for path in tmp_path.iterdir()} == {"data.tar", "out"}


def test_links_within_the_folder_work(tmp_path: Path) -> None:
    source = packed_members(tmp_path, file("set/a", b"alpha"), soft("set/b", "a"), hard("c", "set/a"))
    destination = extract(source, tmp_path / "out")
    assert files_below(destination) == {"set/a": b"alpha", "set/b": b"alpha", "c": b"alpha"}
    assert (destination / "set/b").is_symlink()


Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, data: bytes = b"evil") -> Member:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    return entry, data


def special(kind: bytes) -> Callable[[str, str], Member]:
    def make(name: str, target: str = "") -> Member:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, target
        return entry, b""

    return make


soft, hard, folder = special(tarfile.SYMTYPE), special(tarfile.LNKTYPE), special(tarfile.DIRTYPE)
device, pipe = special(tarfile.CHRTYPE), special(tarfile.FIFOTYPE)


def packed_members(tmp_path: Path, *members: Member) -> Path:
    path = tmp_path / "data.tar"
    with tarfile.open(path, "w") as tarred:
        for entry, data in members:
            tarred.addfile(entry, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([file("/{top}/evil")], id="absolute path"),
        pytest.param([file("{top}/evil")], id="absolute path of this machine"),
        pytest.param([file("../evil")], id="parent folder"),
        pytest.param([file("set/../../evil")], id="parent folder further down"),
        pytest.param([file("..\\evil")], id="parent folder with backslash"),
        pytest.param([file("C:\\evil")], id="drive"),
        pytest.param([folder("../evil", "")], id="folder outside"),
        pytest.param([soft("link", "../secret")], id="symbolic link out"),
        pytest.param([soft("link", "{top}/secret")], id="absolute symbolic link"),
        pytest.param([soft("link", "/etc/passwd")], id="symbolic link to the system"),
        pytest.param([soft("link", "nowhere")], id="symbolic link to nothing"),
        pytest.param([soft("link", ".."), file("link/evil")], id="file through a link"),
        pytest.param([soft("link", "set"), file("set/x"), file("link/evil")], id="file through an inner link"),
        pytest.param([soft("link", "../evil"), file("link")], id="file over a link"),
        pytest.param([hard("link", "../secret")], id="hard link out"),
        pytest.param([hard("link", "{top}/secret")], id="absolute hard link"),
        pytest.param([soft("a", "set"), file("set/x"), hard("b", "a/x")], id="hard link through a link"),
        pytest.param([folder("a", ""), soft("a/b", "."), hard("c", "a/b")], id="hard link to a link"),
        pytest.param([folder("a", ""), soft("a/b", ".."), soft("c", "a/b/.."), file("c/evil")], id="chain of links"),
        pytest.param([folder("a", ""), soft("a/b", ".."), soft("c", "a/b/..")], id="chain of links alone"),
        pytest.param([device("null", "")], id="device"),
        pytest.param([pipe("pipe", "")], id="pipe"),
    ],
)
def test_a_tar_that_reaches_out_is_refused(members: list[Member], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for entry, _ in members:
        entry.name = entry.name.replace("{top}", str(tmp_path))
        entry.linkname = entry.linkname.replace("{top}", str(tmp_path))
    source = packed_members(tmp_path, file("first", b"harmless"), *members)
    before = everything_below(tmp_path)
    with pytest.raises(DataError, match=r"data\.tar was not unpacked: its entry '.*' .*\. Get the archive"):
        extract(source, tmp_path / "out")
    assert everything_below(tmp_path) == before
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_link_out_of_the_chosen_folder_is_refused(tmp_path: Path) -> None:
    source = packed_members(tmp_path, file("outer"), file("set/a"), soft("set/b", "../outer"))
    with pytest.raises(DataError, match="'b' is a link that leads out"):
        extract(source, tmp_path / "out", folder="set")
    assert files_below(extract(source, tmp_path / "out"))["set/b"] == b"evil"


def test_no_special_rights_are_taken_over(tmp_path: Path) -> None:
    entry, data = file("tool")
    entry.mode = 0o6777
    destination = extract(packed_members(tmp_path, (entry, data)), tmp_path / "out")
    assert (destination / "tool").stat().st_mode & 0o6022 == 0


@pytest.mark.parametrize(
    "name",
    ["/evil", "../evil", "set/../../evil", "..\\evil", "set\\..\\..\\evil", "\\evil", "C:\\evil", "C:evil"],
)
def test_a_zip_that_reaches_out_is_refused(name: str, tmp_path: Path) -> None:
    source = packed(tmp_path / "data.zip", {"first": b"harmless", name: b"evil"})
    with pytest.raises(DataError, match=r"data\.zip was not unpacked: its entry '.*' lies outside"):
        extract(source, tmp_path / "out")
    assert everything_below(tmp_path) == {"data.zip"}


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as zipped:
        zipped.writestr(entry, "/etc/passwd")
    with pytest.raises(DataError, match="'link' is a link or a device"):
        extract(tmp_path / "data.zip", tmp_path / "out")


def test_backslashes_in_a_zip_make_folders(tmp_path: Path) -> None:
    source = packed(tmp_path / "data.zip", {"set\\": b"", "set\\a.txt": b"alpha"})
    destination = extract(source, tmp_path / "out")
    assert everything_below(destination) == {"set", "set/a.txt"}


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_a_small_archive_that_unpacks_to_much_is_refused_and_leaves_nothing(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LEAST_ALLOWED", 1_000_000)
    many = {f"{number}": bytes(200_000) for number in range(10)}
    for name, content in {"one": {"a": bytes(2_000_000)}, "many": many}.items():
        source = packed(tmp_path / f"{name}.{suffix}", content)
        assert source.stat().st_size < 10_000
        message = refusal(source, tmp_path / "out")
        assert message is not None
        assert message.startswith(f"{source} was not unpacked: it would unpack to more than 1,000,000 bytes, which is")
    assert {path.name for path in tmp_path.iterdir()} == {f"one.{suffix}", f"many.{suffix}"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_may_unpack_to_a_gigabyte_or_to_a_hundred_times_its_size(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert archive.LEAST_ALLOWED == 2**30
    monkeypatch.setattr(archive, "LEAST_ALLOWED", 1)
    noise = random.Random(3).randbytes(20_000)
    content = {"noise": noise, "zeros": bytes(1_800_000)}
    assert files_below(extract(packed(tmp_path / f"data.{suffix}", content), tmp_path / "out")) == content


def test_what_follows_the_end_of_a_tar_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LEAST_ALLOWED", 1_000_000)
    tarred = packed(tmp_path / "data.tar").read_bytes()
    source = tmp_path / "data.tar.gz"
    source.write_bytes(gzip.compress(tarred + bytes(2_000_000)))
    assert "would unpack to more than" in (refusal(source, tmp_path / "out") or "")


def test_a_header_of_a_tar_is_not_as_large_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The data of this member is the next one's path, and would be read into memory whole.
    entry = tarfile.TarInfo("long")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 2**29
    source = tmp_path / "data.tar.gz"
    with gzip.open(source, "wb", 1) as written:
        written.write(entry.tobuf(tarfile.GNU_FORMAT))
        written.write(bytes(1000))
    asked = []
    original = gzip.GzipFile.read

    def read(self: gzip.GzipFile, size: int | None = -1) -> bytes:
        asked.append(size)
        return original(self, size)

    monkeypatch.setattr(gzip.GzipFile, "read", read)
    assert "is damaged, incomplete or no archive" in (refusal(source, tmp_path / "out") or "")
    assert all(size is not None and 0 <= size <= 2**20 for size in asked)
    assert asked


def test_a_file_of_holes_is_as_large_as_it_says(tmp_path: Path) -> None:
    source = tmp_path / "data.tar"
    header = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "a",
        "GNU.sparse.realsize": f"{2**40}",
    }
    with tarfile.open(source, "w", format=tarfile.PAX_FORMAT) as tarred:
        entry = tarfile.TarInfo("a")
        entry.pax_headers, entry.size = header, 512
        tarred.addfile(entry, io.BytesIO(b"0\n".ljust(512, b"\0")))
    assert "would unpack to more than 1,073,741,824 bytes" in (refusal(source, tmp_path / "out") or "")


def refusal(source: Path, destination: Path) -> str | None:
    try:
        extract(source, destination)
    except DataError as error:
        if destination.exists():
            raise AssertionError("a refused archive left a folder") from error
        return str(error)
    return None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_cut_archive_leaves_nothing(suffix: str, tmp_path: Path) -> None:
    whole = packed(tmp_path / f"data.{suffix}").read_bytes()
    source = tmp_path / f"cut.{suffix}"
    lengths = {*range(0, len(whole), 512), *range(0, len(whole), max(1, len(whole) // 23)), len(whole) - 1}
    refused = 0
    for number, length in enumerate(sorted(lengths)):
        source.write_bytes(whole[:length])
        destination = tmp_path / f"out{number}"
        # A tar ends in filling, which nobody misses.
        if problem := refusal(source, destination):
            assert problem == f"{source} is damaged, incomplete or no archive: delete it and fetch it again."
            refused += 1
        else:
            assert files_below(destination) == CONTENT
    assert refused > len(lengths) // 3
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_a_flipped_byte_is_found(suffix: str, tmp_path: Path) -> None:
    whole = packed(tmp_path / f"data.{suffix}").read_bytes()
    chance = random.Random(5)
    source = tmp_path / f"flipped.{suffix}"
    refused = 0
    for number in range(100):
        place = chance.randrange(len(whole))
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        source.write_bytes(damaged)
        destination = tmp_path / f"out{number}"
        if problem := refusal(source, destination):
            assert str(source) in problem
            refused += 1
        else:
            assert files_below(destination) == CONTENT, f"bit flipped in byte {place}"
    assert refused > 80


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "page.tar.gz").write_text("<html>Please log in</html>")
    with pytest.raises(DataError, match=r"page\.tar\.gz is damaged, incomplete or no archive"):
        extract(tmp_path / "page.tar.gz", tmp_path / "out")
    with pytest.raises(DataError, match=r"gone\.zip does not exist"):
        extract(tmp_path / "gone.zip", tmp_path / "out")


def test_an_encrypted_zip_is_said(tmp_path: Path) -> None:
    source = packed(tmp_path / "data.zip", {"a": b"alpha"})
    content = bytearray(source.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    source.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        extract(source, tmp_path / "out")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    source = packed(tmp_path / "data.tar")
    with pytest.raises(DataError, match=r"could not be unpacked to .*set LEAP_DATA_ROOT"):
        extract(source, tmp_path / "file/out")
    with pytest.raises(DataError, match=r"could not be unpacked to .*Not a directory"):
        extract(source, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "in the way"
    assert everything_below(tmp_path) == {"data.tar", "file"}
