import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from leaplab.bundle.archive import unpack_archive, write_archive
from leaplab.bundle.listing import Entry, Listing, list_bundle
from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import LeapYaml
from leaplab.project.locate import Project


@pytest.fixture
def root(tmp_path):
    folder = tmp_path.resolve() / "integration"
    (folder / "deep").mkdir(parents=True)
    (folder / "leap_binder.py").write_text("import deep\n")
    (folder / "deep" / ("long" * 50 + ".py")).write_text("x = 1\n")
    (folder / "deep" / "größe.yaml").write_text("a: 1\n")
    (folder / "deep" / "run.sh").write_text("true\n")
    (folder / "deep" / "run.sh").chmod(0o700)
    return folder


def contents_of(path: Path) -> dict[str, bytes]:
    contents = {}
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None, f"{member.name} is no file"
            contents[member.name] = file.read()
    return contents


def listing_of(root: Path) -> Listing:
    return list_bundle(Project(root, "leap_binder.py"), LeapYaml())


def test_the_archive_holds_the_files_as_they_are(root, tmp_path):
    write_archive(listing_of(root), root, tmp_path / "out" / "bundle.tar.gz")

    with tarfile.open(tmp_path / "out" / "bundle.tar.gz") as archive:
        members = archive.getmembers()
    contents = contents_of(tmp_path / "out" / "bundle.tar.gz")
    assert contents == {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    assert list(contents) == sorted(contents)
    assert {member.name: member.mode for member in members}["deep/run.sh"] == 0o755
    assert {member.mode for member in members} == {0o644, 0o755}
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert list((tmp_path / "out").iterdir()) == [tmp_path / "out" / "bundle.tar.gz"]


def test_the_same_files_give_the_same_bytes(root, tmp_path):
    write_archive(listing_of(root), root, tmp_path / "one.tar.gz")
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    (root / "leap_binder.py").chmod(0o600)
    write_archive(listing_of(root), root, tmp_path / "a_longer_name.tar.gz")

    first = (tmp_path / "one.tar.gz").read_bytes()
    assert first == (tmp_path / "a_longer_name.tar.gz").read_bytes()
    assert first[3] == 0, "no file name in the header"
    assert first[4:8] == b"\0\0\0\0", "no time in the header"


def test_a_link_becomes_the_file_that_it_leads_to(root, tmp_path):
    (tmp_path / "outside.py").write_text("y = 2\n")
    (root / "linked.py").symlink_to(tmp_path / "outside.py")

    write_archive(listing_of(root), root, tmp_path / "bundle.tar.gz")

    assert contents_of(tmp_path / "bundle.tar.gz")["linked.py"] == b"y = 2\n"


@pytest.mark.parametrize("content", ["", "import deep\nand_more\n"])
def test_a_file_that_changed_is_refused_and_nothing_is_left(root, tmp_path, content):
    listing = listing_of(root)
    (root / "leap_binder.py").write_text(content)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bundle.tar.gz").write_text("before")

    with pytest.raises(LeaplabError, match="leap_binder.py changed while it was packed"):
        write_archive(listing, root, tmp_path / "out" / "bundle.tar.gz")

    assert list((tmp_path / "out").iterdir()) == [tmp_path / "out" / "bundle.tar.gz"]
    assert (tmp_path / "out" / "bundle.tar.gz").read_text() == "before"


def test_a_file_that_shrinks_or_grows_while_it_is_read_is_refused(root, tmp_path, monkeypatch):
    # What the system says of the size is still the listed one.
    for real, listed_size in ((12, 20), (12, 5)):
        listing = Listing(root, (Entry("leap_binder.py", listed_size),))
        status = (root / "leap_binder.py").stat()
        told = os.stat_result((*status[:6], listed_size, *status[7:]))
        monkeypatch.setattr(os, "fstat", lambda _, told=told: told)
        assert status.st_size == real
        with pytest.raises(LeaplabError, match="changed while it was packed"):
            write_archive(listing, root, tmp_path / "bundle.tar.gz")
    assert not (tmp_path / "bundle.tar.gz").exists()


def test_a_file_that_is_gone_and_a_destination_that_cannot_be_are_told(root, tmp_path):
    listing = listing_of(root)
    (tmp_path / "file").touch()
    with pytest.raises(LeaplabError, match="bundle.tar.gz cannot be written: Not a directory|File exists"):
        write_archive(listing, root, tmp_path / "file" / "bundle.tar.gz")
    (root / "leap_binder.py").unlink()
    with pytest.raises(LeaplabError, match="leap_binder.py cannot be read: No such file"):
        write_archive(listing, root, tmp_path / "bundle.tar.gz")


def test_an_archive_never_holds_an_earlier_one(root):
    write_archive(listing_of(root), root, root / "bundle.tar.gz")

    with pytest.raises(LeaplabError, match="is a file of the bundle itself"):
        write_archive(listing_of(root), root, root / "bundle.tar.gz")


def test_unpacking_gives_the_files_back(root, tmp_path):
    write_archive(listing_of(root), root, tmp_path / "bundle.tar.gz")
    unpack_archive(tmp_path / "bundle.tar.gz", tmp_path / "again")

    again = listing_of(tmp_path / "again")
    assert again.files == listing_of(root).files
    assert os.access(tmp_path / "again" / "deep" / "run.sh", os.X_OK)
    write_archive(again, tmp_path / "again", tmp_path / "second.tar.gz")
    assert (tmp_path / "second.tar.gz").read_bytes() == (tmp_path / "bundle.tar.gz").read_bytes()


@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py"])
def test_unpacking_stays_in_its_folder(tmp_path, name):
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())

    with pytest.raises(LeaplabError, match="is no file that may be unpacked"):
        unpack_archive(tmp_path / "bad.tar.gz", tmp_path / "folder")
    assert not (tmp_path / "out.py").exists()


def test_unpacking_refuses_links_and_broken_archives(tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as archive:
        archive.addfile(link)
    with pytest.raises(LeaplabError, match="'link' is no file"):
        unpack_archive(tmp_path / "bad.tar.gz", tmp_path / "folder")

    (tmp_path / "cut.tar.gz").write_bytes(gzip.compress(b"x" * 10_000)[:20])
    with pytest.raises(LeaplabError, match="cut.tar.gz cannot be unpacked"):
        unpack_archive(tmp_path / "cut.tar.gz", tmp_path / "folder")
    with pytest.raises(LeaplabError, match="nowhere.tar.gz cannot be unpacked"):
        unpack_archive(tmp_path / "nowhere.tar.gz", tmp_path / "folder")
