from pathlib import Path

import pytest

from leaplab.environments.made import alone, find_made, made_environment, read_marker, read_recipe


@pytest.mark.parametrize(
    ("variables", "system", "folder"),
    [
        ({"LEAPLAB_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "linux", "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "linux", "/x/leaplab"),
        ({"XDG_CACHE_HOME": "x"}, "linux", "/usr/x/leaplab"),
        ({}, "linux", "/home/me/.cache/leaplab"),
        ({}, "darwin", "/home/me/Library/Caches/leaplab"),
    ],
)
def test_environments_lie_where_the_system_has_caches(root, monkeypatch, variables, system, folder):
    for name in ("LEAPLAB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.chdir("/usr")

    assert read_recipe(root).folder.parent == Path(folder) / "environments"


def test_a_key_changes_with_what_decides_and_with_nothing_else(root):
    (root / "requirements.txt").write_text("numpy\n")
    (root / "leap_binder.py").write_text("import numpy\n")
    first = read_recipe(root).folder
    assert first.name.startswith("integration-")

    (root / "leap_binder.py").write_text("import numpy, tqdm\n")  # it grows by a module, and need not be made anew
    assert read_recipe(root).folder == first

    (root / "leap.yaml").write_text("pythonVersion: py38\nentryFile: leap_binder.py\n")
    second = read_recipe(root).folder
    (root / "requirements.txt").write_text("numpy<2\n")
    assert len({first, second, read_recipe(root).folder}) == 3


def test_nothing_made_is_no_word_about_it(root):
    (root / "requirements.txt").write_text("no = requirement\n")

    assert made_environment(root) is None
    assert find_made(root).told == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"root": "/x"}', '{"modules": 1, "notes": [], "missing": []}'])
def test_a_marker_that_says_nothing_is_none(root, text):
    (root / "leaplab.json").write_text(text)

    assert read_marker(root) is None


def test_two_at_once_wait_for_each_other(tmp_path):
    waited = []

    def refuse():
        waited.append(True)
        raise BlockingIOError

    with alone(tmp_path / "e", refuse), pytest.raises(BlockingIOError), alone(tmp_path / "e", refuse):
        pass
    with alone(tmp_path / "e", refuse):
        pass
    assert waited == [True]
