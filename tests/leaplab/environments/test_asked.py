import platform

import pytest

from leaplab.environments.asked import Asked, read_asked
from leaplab.errors import LeaplabError

LOCK = """
[[package]]
name = "code-loader"
version = "1.0.90"
[package.dependencies]
numpy = ">=1.22"

[[package]]
name = "numpy"
version = "1.24.4"

[[package]]
name = "Twice"
version = "1"
[[package]]
name = "twice"
version = "2"

[[package]]
name = "of-git"
version = "1"
[package.source]
type = "git"
url = "x"
"""


@pytest.fixture
def asked(root):
    """`asked(text, name)`: what a requirements file with this text asks for."""

    def read(text, name="requirements.txt"):
        (root / name).write_text(text, encoding="utf-8")
        return read_asked(root)

    return read


@pytest.fixture(autouse=True)
def linux(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")


def texts(found: Asked) -> list[str]:
    return [line.text for line in found.lines]


def test_lines_and_their_places_are_read(asked):
    found = asked(
        "\ufeff# run time only\n"
        "numpy~=1.24 # arrays\n"
        "\n"
        "--extra-index-url https://example.org/simple\n"
        "package[extra]==1.0 --hash=sha256:00 \\\n"
        "    --hash=sha256:11\n"
        "git+https://example.org/a.git#egg=a\n"
        "from_url @ https://example.org/a.zip"
    )

    assert [(line.text, line.place.removeprefix("requirements.txt, line ")) for line in found.lines] == [
        ("numpy~=1.24", "2"),
        ("--extra-index-url https://example.org/simple", "4"),
        ("package[extra]==1.0", "5"),
        ("git+https://example.org/a.git#egg=a", "7"),
        ("from_url @ https://example.org/a.zip", "8"),
    ]
    assert found.notes == (
        "requirements.txt, line 5: the hashes are not checked, for code-loader is taken in its newest version.",
    )


def test_code_loader_s_own_line_is_passed_over(asked):
    found = asked("code_loader==1.0.90\nnumpy\n")

    assert texts(found) == ["numpy"]
    assert found.notes == (
        "requirements.txt, line 1: 'code_loader==1.0.90' is passed over for the newest code-loader.",
    )
    assert asked("code-loader\n").notes == ()


def test_other_systems_tensorflows_are_taken_as_tensorflow(asked):
    found = asked("tensorflow-macos==2.12.0\ntensorflow-metal==1.0\npywin32==306\n")
    assert texts(found) == ["tensorflow==2.12.0"]
    assert found.notes == (
        "requirements.txt, line 1: 'tensorflow-macos==2.12.0' is taken as tensorflow, which it is on this system.",
        "requirements.txt, line 2: 'tensorflow-metal==1.0' is left out, for this system has none.",
        "requirements.txt, line 3: 'pywin32==306' is left out, for this system has none.",
    )

    assert texts(asked("tensorflow-macos==2.12.0\ntensorflow==2.11\n")) == ["tensorflow==2.11"]


def test_macos_keeps_its_own(asked, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")

    assert texts(asked("tensorflow-macos==2.12.0\ntensorflow-metal==1.0\n")) == [
        "tensorflow-macos==2.12.0",
        "tensorflow-metal==1.0",
    ]


def test_files_of_another_machine_are_taken_from_the_index(asked, root):
    found = asked("certifi @ file:///croot/certifi_166/work/certifi\n-e .\n./wheels\n")
    assert texts(found) == ["certifi", "./wheels"]
    assert "is a file of another machine; certifi is taken from the index" in found.notes[0]
    assert found.notes[1] == "requirements.txt, line 2: '-e .' is the folder itself, which is on the path in any case."


def test_other_files_are_followed(asked, root):
    (root / "more").mkdir()
    (root / "more" / "base.txt").write_text("tqdm\n-r ../requirements.txt\n")
    (root / "held.txt").write_text("tqdm==4.60\ncode-loader==1\n")
    found = asked("numpy\n-r more/base.txt\n-c held.txt\n")

    assert texts(found) == ["numpy", "tqdm"]
    assert [line.text for line in found.constraints] == ["tqdm==4.60", "code-loader==1"]

    before = found.content
    (root / "more" / "base.txt").write_text("tqdm==4.66\n")
    assert read_asked(root).content != before


def test_the_first_file_that_asks_for_anything_counts(root):
    assert read_asked(root).file is None
    (root / "pyproject.toml").write_text("[project]\ndependencies = ['scipy']")
    assert read_asked(root).file == root / "pyproject.toml"
    (root / "requirements.txt").write_text("# nothing yet\n")
    assert read_asked(root).file == root / "pyproject.toml"
    (root / "requirements.txt").write_text("numpy\n")
    assert read_asked(root).file == root / "requirements.txt"
    (root / "tensorleap_requirements.txt").write_text("code-loader\n")
    assert read_asked(root).file == root / "tensorleap_requirements.txt"


def test_a_pyproject_and_its_lock_are_read(asked, root):
    (root / "poetry.lock").write_text(LOCK)
    (root / "part").mkdir()
    found = asked(
        "[project]\n"
        'dependencies = ["scipy>=1.5,<2"]\n'
        "[tool.poetry.dependencies]\n"
        'python = "^3.8"\n'
        'scipy = {source = "x"}\n'
        'code-loader = "^1.0.90"\n'
        'numpy = "^1.24.1"\n'
        'part = {path = "part"}\n'
        'tqdm = [{version = "~4.60", python = "<3.9"}, {version = "*", python = ">=3.9"}]\n'
        'wanted = {git = "https://example.org/w.git", rev = "abc"}\n'
        'maybe = {version = "1", optional = true}\n',
        "pyproject.toml",
    )

    assert [(line.text.replace(" ", ""), line.place) for line in found.lines] == [
        ("scipy>=1.5,<2", "pyproject.toml, line 2"),
        ("numpy<2,>=1.24.1", "pyproject.toml, line 7"),
        (f"part@{(root / 'part').as_uri()}", "pyproject.toml, line 8"),
        ('tqdm<4.61,>=4.60;(python_full_version<"3.9")', "pyproject.toml, line 9"),
        ('tqdm;(python_full_version>="3.9")', "pyproject.toml, line 9"),
        ("wanted@git+https://example.org/w.git@abc", "pyproject.toml, line 10"),
    ]
    assert [line.text for line in found.constraints] == ["code-loader==1.0.90", "numpy==1.24.4"]
    assert found.locked.needs["code-loader"] == {"numpy"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("numpy\ntorch = 1.0\n", r"requirements.txt, line 2: 'torch = 1.0' is no requirement \(.+\); write it as"),
        ("<<<<<<< HEAD\n", "line 1: '<<<<<<< HEAD' is no requirement"),
        ("-r gone.txt\n", "requirements.txt, line 1: gone.txt is not there; add it, or delete the line"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(asked, text, told):
    with pytest.raises(LeaplabError, match=told) as raised:
        asked(text)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_text_or_toml_is_one_sentence(asked, root):
    with pytest.raises(LeaplabError, match="pyproject.toml cannot be read as TOML"):
        asked("[project\n", "pyproject.toml")
    (root / "requirements.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(LeaplabError, match="requirements.txt cannot be read: it is not UTF-8 text"):
        read_asked(root)
