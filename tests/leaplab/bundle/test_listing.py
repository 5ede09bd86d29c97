import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from leaplab.bundle.listing import LARGE_LIMIT, Listing, list_bundle, why_unmatched
from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import LeapYaml
from leaplab.project.locate import Project


@pytest.fixture
def root(tmp_path):
    """An integration of a few files, below a real path."""
    folder = tmp_path.resolve() / "integration"
    for name, size in {
        "leap_binder.py": 10,
        "leap.yaml": 3,
        "requirements.txt": 4,
        "mnist/encoders.py": 5,
        "mnist/data/preprocess.py": 6,
        "mnist/data/__pycache__/preprocess.pyc": 7,
        "mnist/.hidden/key.py": 8,
        "docs/readme.md": 9,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * size)
    return folder


def listed(
    root: Path, include: Sequence[str] = (), exclude: Sequence[str] = (), entry_file: str = "leap_binder.py"
) -> Listing:
    return list_bundle(Project(root, entry_file), LeapYaml(include=tuple(include), exclude=tuple(exclude)))


def names(listing: Listing) -> list[str]:
    return [entry.path for entry in listing.files]


def test_an_empty_include_means_every_file_in_order(root):
    (root / "empty").mkdir()
    listing = listed(root)

    assert listing.files == (
        ("docs/readme.md", 9),
        ("leap.yaml", 3),
        ("leap_binder.py", 10),
        ("mnist/.hidden/key.py", 8),
        ("mnist/data/__pycache__/preprocess.pyc", 7),
        ("mnist/data/preprocess.py", 6),
        ("mnist/encoders.py", 5),
        ("requirements.txt", 4),
    )
    assert listing.size == 52
    assert (listing.unmatched, listing.problems, listing.added_entry) == ((), (), False)


def test_only_what_include_names_is_listed_once(root):
    listing = listed(root, ["leap_binder.py", "mnist/**/*.py", "mnist/*.py", "./mnist/encoders.py"])

    assert names(listing) == [
        "leap_binder.py",
        "mnist/.hidden/key.py",
        "mnist/data/preprocess.py",
        "mnist/encoders.py",
    ]
    assert listing.unmatched == ()


def test_exclude_matches_the_whole_path_from_the_root(root):
    listing = listed(root, [], ["__pycache__", "*.md", "**/__pycache__/**", "mnist/.hidden/**", "docs"])

    assert names(listing) == [
        "docs/readme.md",
        "leap.yaml",
        "leap_binder.py",
        "mnist/data/preprocess.py",
        "mnist/encoders.py",
        "requirements.txt",
    ]
    assert listing.idle_excludes == ("__pycache__", "*.md", "docs")


def test_patterns_without_a_file_are_named(root):
    listing = listed(root, ["leap_binder.py", "mnist", "mnist/", "vision/**", "mnist/**.md", "docs/readme.md/**"])

    assert listing.unmatched == ("mnist", "mnist/", "vision/**", "mnist/**.md", "docs/readme.md/**")
    assert "names a folder, which uploads nothing; write 'mnist/**'" in why_unmatched(root, "mnist/")
    assert "matches no file; correct it" in why_unmatched(root, "vision/**")
    assert "only as a whole segment" in why_unmatched(root, "mnist/**.md")


def test_a_pattern_whose_every_file_is_excluded_did_match(root):
    listing = listed(root, ["**/*.py", "docs/*"], ["docs/**"])

    assert listing.unmatched == ()
    assert "docs/readme.md" not in names(listing)


@pytest.mark.parametrize(("include", "exclude"), [(["mnist/**"], []), ([], ["*.py"])])
def test_the_entry_file_is_added_where_it_is_missing_or_excluded(root, include, exclude):
    listing = listed(root, include, exclude)

    assert listing.added_entry
    assert ("leap_binder.py", 10) in listing.files


def test_an_entry_file_in_a_folder_is_found_however_it_is_written(root):
    (root / "mnist" / "entry.py").write_text("")

    assert not listed(root, ["mnist/**"], entry_file="./mnist/entry.py").added_entry
    with pytest.raises(LeaplabError, match="entry file .*nowhere.py does not exist"):
        listed(root, entry_file="nowhere.py")


def test_requirements_files_count_exactly_at_the_root(root):
    assert listed(root).requirements == ("requirements.txt",)
    assert listed(root, ["mnist/**"]).requirements == ()
    (root / "pyproject.toml").write_text("")
    (root / "tensorleap_requirements.txt").write_text("")
    (root / "mnist" / "requirements.txt").write_text("")
    assert listed(root).requirements == ("tensorleap_requirements.txt", "requirements.txt", "pyproject.toml")
    assert listed(root, [], ["requirements.txt", "pyproject.toml"]).requirements == ("tensorleap_requirements.txt",)
    assert listed(root, ["mnist/requirements.txt"]).requirements == ()


def test_links_are_followed(root):
    outside = root.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "a.py").write_text("12345678901")
    (root / "linked").symlink_to(outside)
    (root / "one.py").symlink_to(outside / "deep" / "a.py")
    (root / "twice").symlink_to(root / "docs")

    listing = listed(root, ["linked/**", "*.py", "twice/*"])

    assert listing.files == (
        ("leap_binder.py", 10),
        ("linked/deep/a.py", 11),
        ("one.py", 11),
        ("twice/readme.md", 9),
    )
    assert listing.problems == ()


def test_links_that_lead_back_are_told_and_end(root):
    (root / "docs" / "self").symlink_to("self")
    (root / "docs" / "up").symlink_to("..")
    (root / "docs" / "above").symlink_to(root.parent)
    (root / "docs" / "to_data").symlink_to(root / "mnist" / "data")
    (root / "mnist" / "data" / "to_docs").symlink_to(root / "docs")

    listing = listed(root)

    assert {(problem.kind, problem.path) for problem in listing.problems} >= {
        ("broken link", "docs/self"),
        ("loop", "docs/up"),
        ("loop", "docs/above"),
        ("loop", "docs/to_data/to_docs"),
        ("loop", "mnist/data/to_docs/to_data"),
    }
    assert all(problem.path in problem.message for problem in listing.problems)
    assert "docs/to_data/preprocess.py" in names(listing)
    # exclude comes too late to save a push from them.
    assert {"docs/self", "docs/up"} <= {problem.path for problem in listed(root, [], ["docs/**"]).problems}
    assert listed(root, ["mnist/*.py"]).problems == ()


def test_a_link_that_leads_nowhere_is_told(root):
    (root / "mnist" / "gone.py").symlink_to(root / "nothing")

    (problem,) = listed(root, ["mnist/*.py"]).problems

    assert (problem.kind, problem.path) == ("broken link", "mnist/gone.py")
    assert "leads nowhere, on which a push fails" in problem.message


def test_a_pipe_and_a_name_that_is_no_text_are_told(root):
    os.mkfifo(root / "docs" / "pipe")
    with open(os.fsencode(root / "docs") + b"/caf\xe9", "wb"):  # noqa: PTH123 - a name of bytes
        pass

    listing = listed(root, ["docs/**"])

    assert [(problem.kind, problem.path) for problem in listing.problems] == [
        ("name", "docs/caf\N{REPLACEMENT CHARACTER}"),
        ("special", "docs/pipe"),
    ]
    assert names(listing) == ["docs/readme.md", "leap_binder.py"]
    assert listed(root, ["docs/**"], ["docs/pipe", "docs/caf?"]).problems == ()


def test_what_cannot_be_read_is_told_and_the_rest_is_listed(root, monkeypatch):
    # Whoever runs this may be allowed to read everything, so the system's refusal is played.
    scandir, access = os.scandir, os.access

    def refuse_folder(path):
        if str(path).rstrip("/").endswith("mnist/data"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse_folder)
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("encoders.py") and access(path, mode))

    listing = listed(root, ["leap_binder.py", "mnist/**"])

    assert [(problem.kind, problem.path) for problem in listing.problems] == [
        ("unreadable", "mnist/data"),
        ("unreadable", "mnist/encoders.py"),
    ]
    assert "Permission denied" in listing.problems[0].message
    assert names(listing) == ["leap_binder.py", "mnist/.hidden/key.py"]


def test_a_bad_include_ends_and_a_bad_exclude_keeps_out_nothing(root):
    with pytest.raises(LeaplabError, match=r"'mnist/\[' never closes"):
        listed(root, ["mnist/["])
    with pytest.raises(LeaplabError, match="leads outside"):
        listed(root, ["../**"])

    listing = listed(root, ["docs/**"], ["docs/{", "docs/*.txt"])

    assert "docs/readme.md" in names(listing)
    assert listing.idle_excludes == ("docs/*.txt",)
    (sentence,) = listing.unread_excludes
    assert "'docs/{' never closes a brace" in sentence


def test_windows_separators_are_understood(root):
    assert "mnist/data/preprocess.py" in names(listed(root, ["mnist\\data\\preprocess.py"]))
    assert "docs/readme.md" not in names(listed(root, [], ["docs\\readme.md"]))


def test_large_files_are_those_that_the_cli_asks_about(root):
    (root / ".git" / "objects").mkdir(parents=True)
    (root / ".git" / "objects" / "ab").write_bytes(b"x" * 100)
    (root / ".gitignore").write_bytes(b"x" * 1000)
    (root / "model.ONNX").write_bytes(b"x" * 10_000)
    (root / "weights.tar.gz").write_bytes(b"x" * 100_000)
    (root / "notes.onnx.md").write_bytes(b"x" * 1_000_000)

    listing = listed(root)

    assert listing.large == 110_100 < LARGE_LIMIT
    assert listing.has_git
    assert not listed(root, ["*"]).has_git
    assert listed(root, ["*"]).large == 110_000


def test_folders_that_no_pattern_reaches_are_not_entered(root, monkeypatch):
    (root / ".venv" / "deep" / "mnist").mkdir(parents=True)
    (root / "folder.py").mkdir()
    entered, scandir = [], os.scandir

    def note(path):
        entered.append(os.path.relpath(path, root))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", note)

    listed(root, ["*.py", "mnist/**/*.py", "{docs,tasks}/*.md"])

    assert sorted(entered) == sorted([".", "docs", "mnist", "mnist/.hidden", "mnist/data", "mnist/data/__pycache__"])


def test_a_hundred_thousand_files_beside_the_bundle_cost_nothing(root):
    # Real files would take longer to write than the test may take: links to one folder are as many to a walk.
    crowd = root.parent / "crowd"
    crowd.mkdir()
    for number in range(1000):
        (crowd / f"{number}.py").touch()
    (root / ".venv").mkdir()
    for number in range(100):
        (root / ".venv" / f"{number}").symlink_to(crowd)

    begun = time.perf_counter()
    pruned = listed(root, ["leap_binder.py", "mnist/**/*.py"])
    took = time.perf_counter() - begun

    assert len(pruned.files) == 4
    assert took < 1
    assert len(listed(root, [".venv/7/**", "leap_binder.py"]).files) == 1001


def test_a_tree_without_end_is_refused(root, monkeypatch):
    monkeypatch.setattr("leaplab.bundle.listing.MAX_ENTRIES", 5)

    with pytest.raises(LeaplabError, match="more than 5 files below .*; narrow include"):
        listed(root)
