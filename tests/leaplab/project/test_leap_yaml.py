import pytest

from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import LeapYaml, read_entry_file, read_leap_yaml


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "leap.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_every_key_is_read_as_the_text_that_stands_there(written):
    path = written(
        "projectId: 12\nsecretId: 's'\nbranch: 007\nentryFile: code/entry.py\npythonVersion: 3.10\n"
        "include:\n- '**/*.py'\n- 7\nexclude: [a, b/**]\n"
    )

    assert read_leap_yaml(path) == LeapYaml(
        entry_file="code/entry.py",
        include=("**/*.py", "7"),
        exclude=("a", "b/**"),
        python_version="3.10",
        project_id="12",
        secret_id="s",
        branch="007",
    )


@pytest.mark.parametrize("content", ["", "# nothing\n", "null\n", "entryFile:\ninclude:\nexclude: ~\nbranch: ''\n"])
def test_nothing_is_the_default(written, content):
    assert read_leap_yaml(written(content)) == LeapYaml()


def test_a_byte_order_mark_is_no_part_of_the_first_key(written):
    assert read_leap_yaml(written(b"\xef\xbb\xbfentryFile: a.py\n")) == LeapYaml(entry_file="a.py")


def test_keys_that_the_cli_does_not_know_are_listed_in_order(written):
    path = written("zebra: 1\nentryFile: a.py\ncodeIntegrationId: x\nentryfile: b.py\n")

    assert read_leap_yaml(path).unknown == ("zebra", "codeIntegrationId", "entryfile")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("entryFile: 'leap_bin", "cannot be read as YAML: line 1: found unexpected end of stream"),
        ("include: [a, b\n", "cannot be read as YAML: line 2"),
        ("include:\n\t- a\n", "line 2: found character '\\t' that cannot start any token; indent with spaces"),
        (
            "include:\n- **/*.py\n",
            "line 2: expected alphabetic or numeric character, but found '*'; a pattern that begins",
        ),
        ("- a list\n", "must hold keys and values"),
        ("only text\n", "must hold keys and values"),
        (b"\xff\xfe\x00", "cannot be read as YAML: it is not UTF-8 text"),
        ("branch: b\x07\n", "cannot be read as YAML"),
        ("entryFile: [a]\n", "entryFile must be a file name, got a list (line 1)"),
        (
            "a: 1\npythonVersion: {a: b}\n",
            "pythonVersion must be a version such as py311, got keys and values (line 2)",
        ),
        ("projectId: [1]\n", "projectId must be an id, got a list"),
        ("include: '**'\n", "include must be a list of glob patterns, got '**' (line 1)"),
        ("exclude: {a: b}\n", "exclude must be a list of glob patterns, got keys and values"),
        ("include:\n- a\n- {b, c}\n", "one of them is keys and values (line 3); set a pattern that holds { or *"),
        ("include:\n- a\n-\n", "one of them is nothing (line 3)"),
        ("include:\n- [a]\n", "one of them is a list (line 2)"),
        ("entryFile: a\nbranch: b\nentryFile: c\n", "line 3: entryFile stands there a second time"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_that_names_the_file(written, content, told):
    path = written(content)

    with pytest.raises(LeaplabError) as error:
        read_leap_yaml(path)

    assert told in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(LeaplabError, match="cannot be read as YAML: No such file or directory"):
        read_leap_yaml(tmp_path / "leap.yaml")
    with pytest.raises(LeaplabError, match="cannot be read as YAML: Is a directory"):
        read_leap_yaml(tmp_path)


def test_the_entry_file_alone_is_read_whatever_the_other_keys_hold(written):
    assert read_entry_file(written("include: no list\nentryFile: a.py\n")) == "a.py"
    assert read_entry_file(written("include: no list\n")) is None
    with pytest.raises(LeaplabError, match="entryFile must be a file name"):
        read_entry_file(written("entryFile: {a: b}\n"))
