import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project


@pytest.fixture
def folder(tmp_path):
    """A folder with an entry file of the first known name, below a resolved path."""
    root = tmp_path.resolve() / "integration"
    root.mkdir()
    (root / "leap_binder.py").touch()
    return root


def test_entry_file_is_the_one_that_leap_yaml_names(folder):
    (folder / "code").mkdir()
    (folder / "code" / "entry.py").touch()
    (folder / "leap.yaml").write_text("entryFile: code/entry.py\nprojectId: 1\n")

    project = find_project(folder)

    assert (project.root, project.entry_file) == (folder, "code/entry.py")


@pytest.mark.parametrize("content", [None, "", "pythonVersion: py311\n", "entryFile:\n", "# nothing\n"])
def test_known_entry_file_is_found_where_leap_yaml_names_none(folder, content):
    (folder / "leap_integration.py").touch()
    if content is not None:
        (folder / "leap.yaml").write_text(content)

    assert find_project(folder).entry_file == "leap_binder.py"

    (folder / "leap_binder.py").unlink()
    assert find_project(folder).entry_file == "leap_integration.py"


def test_relative_and_symlinked_folders_give_the_real_root(folder, monkeypatch):
    link = folder.parent / "link"
    link.symlink_to(folder, target_is_directory=True)
    monkeypatch.chdir(folder)

    assert find_project(link).root == folder
    assert find_project(folder.relative_to(folder)).root == folder


def test_entry_file_that_is_a_link_to_a_file_below_the_root_is_taken(folder):
    (folder / "leap_binder.py").rename(folder / "real.py")
    (folder / "leap_binder.py").symlink_to(folder / "real.py")

    assert find_project(folder).entry_file == "leap_binder.py"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("entryFile: nowhere.py\n", "entryFile 'nowhere.py' does not exist"),
        ("entryFile: ../outside.py\n", "lies outside the folder"),
        ("entryFile: linked.py\n", "lies outside the folder"),
        ("entryFile: [a, b]\n", "entryFile must be a file name"),
        ("\tentryFile: leap_binder.py\n", "cannot be read as YAML"),
        ("entryFile: 'unclosed\n", "cannot be read as YAML"),
        ("- a list\n", "must hold keys and values"),
    ],
)
def test_bad_leap_yaml_is_told_in_one_line_that_names_it(folder, content, told):
    (folder.parent / "outside.py").touch()
    (folder / "linked.py").symlink_to(folder.parent / "outside.py")
    (folder / "leap.yaml").write_text(content)

    with pytest.raises(LeaplabError) as error:
        find_project(folder)

    assert told in str(error.value)
    assert str(folder / "leap.yaml") in str(error.value)
    assert "\n" not in str(error.value)


def test_leap_yaml_that_is_no_text_is_told(folder):
    (folder / "leap.yaml").write_bytes(b"\xff\xfe\x00entry")

    with pytest.raises(LeaplabError, match="cannot be read as YAML"):
        find_project(folder)


def test_folder_without_an_integration_is_told(folder):
    (folder / "leap_binder.py").unlink()

    with pytest.raises(
        LeaplabError, match="no leap.yaml with an entryFile and no leap_binder.py or leap_integration.py"
    ):
        find_project(folder)
    with pytest.raises(LeaplabError, match="is not a folder"):
        find_project(folder / "nowhere")
