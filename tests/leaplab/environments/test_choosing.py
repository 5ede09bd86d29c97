import os
import sys
from pathlib import Path

import pytest

from leaplab.environments.choosing import choose_interpreter
from leaplab.environments.made import Marker, interpreter_of, read_recipe, write_marker
from leaplab.errors import LeaplabError


@pytest.fixture
def path_without_poetry(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.fixture
def poetry(script, monkeypatch):
    """`poetry(text)`: what it prints when it is asked for its environment."""

    def write(text):
        folder = script(text, "poetry").parent
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return write


@pytest.fixture
def made(root, environment):
    """Pretend that `leaplab env` has made the root's environment."""

    def make(requirements="numpy\n"):
        (root / "requirements.txt").write_text(requirements)
        recipe = read_recipe(root)
        environment(recipe.folder, sys.executable)
        file = str(root / "requirements.txt")
        python = interpreter_of(recipe.folder)
        modules = tuple(recipe.imports.modules)
        write_marker(recipe.folder, Marker(str(root), recipe.folder.name, str(python), "3.11.7", file, modules, (), ()))
        return python

    return make


def test_leaplab_s_own_is_the_last(root, path_without_poetry):
    chosen = choose_interpreter(root)

    assert str(chosen.executable) == sys.executable
    assert (chosen.origin, chosen.reason) == ("own", "leaplab's own interpreter")
    assert chosen.version == sys.version_info[:3]
    assert chosen.passed_over == ()


def test_each_candidate_gives_way_to_the_one_before(root, environment, poetry, made, tmp_path):
    (root / "poetry.lock").write_text("")
    by_env = made()
    poetry("exit 1")
    chosen = choose_interpreter(root)
    assert (chosen.executable, chosen.origin) == (by_env, "made")
    assert chosen.reason == "made by `leaplab env` of requirements.txt"
    assert chosen.passed_over == (f"Poetry has made no environment of {root}; `poetry install` there makes one.",)

    by_poetry = environment(tmp_path / "p", sys.executable)
    poetry(f"echo 'The currently activated Python is not supported' >&2; echo {tmp_path / 'p'}")
    assert (choose_interpreter(root).executable, choose_interpreter(root).origin) == (by_poetry, "poetry")

    plain = environment(root / "venv", sys.executable)
    assert (choose_interpreter(root).executable, choose_interpreter(root).origin) == (plain, "folder")

    hidden = environment(root / ".venv", sys.executable)
    chosen = choose_interpreter(root)
    assert (chosen.executable, chosen.reason) == (hidden, "the folder's own .venv")

    named = environment(tmp_path / "n", sys.executable)
    assert choose_interpreter(root, named).origin == "option"
    assert choose_interpreter(root, tmp_path / "n").executable == named


def test_a_venv_that_does_not_do_is_passed_over_and_told(root, environment, path_without_poetry):
    environment(root / ".venv", sys.executable, ("numpy",))
    (root / "venv").mkdir()

    chosen = choose_interpreter(root)

    assert chosen.origin == "own"
    lacks, empty = chosen.passed_over
    assert lacks.startswith(f"{root}/.venv/bin/python (Python 3.")
    assert lacks.endswith(
        f"lacks code-loader; install code-loader into it, or make an environment by `leaplab env {root}`."
    )
    assert empty == f"{root}/venv has no bin/python."


def test_a_venv_whose_python_is_gone_is_told(root, path_without_poetry):
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").symlink_to(root / "nowhere")

    (told,) = choose_interpreter(root).passed_over

    assert told == f"{root}/.venv/bin/python is a link to nothing; name an interpreter that is there."


def test_poetry_is_not_asked_about_the_environment_that_leaplab_runs_in(
    root, poetry, monkeypatch, tmp_path, environment
):
    environment(tmp_path / "p", sys.executable)
    (root / "pyproject.toml").write_text("[tool.poetry]\nname = 'x'\n")
    poetry(
        f'case "$VIRTUAL_ENV:$PATH" in *{sys.prefix}*) exit 1 ;; esac\n'
        f'[ "$PWD" = "{root}" ] && [ "$*" = "env info --path" ] && echo {tmp_path / "p"}'
    )
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{sys.prefix}/bin")

    assert choose_interpreter(root).origin == "poetry"


def test_a_poetry_project_without_poetry_is_told(root, path_without_poetry):
    (root / "pyproject.toml").write_text("[tool.poetry]\nname = 'x'\n")

    assert choose_interpreter(root).passed_over == (f"{root} is a Poetry project, and poetry is not on the PATH.",)


def test_a_broken_pyproject_is_not_poetrys(root, path_without_poetry):
    (root / "pyproject.toml").write_text("[tool")

    assert choose_interpreter(root).origin == "own"


def test_an_environment_out_of_date_is_not_used(root, made, path_without_poetry):
    made()
    (root / "requirements.txt").write_text("numpy\ntqdm\n")
    chosen = choose_interpreter(root)
    assert chosen.origin == "own"
    assert chosen.passed_over == (
        f"The environment made for {root} is out of date, for what it asks for has changed;"
        f" run `leaplab env {root}` again.",
    )

    made()
    (root / "leap_binder.py").write_text("import tqdm\n")
    assert "leap_binder.py imports tqdm since" in choose_interpreter(root).passed_over[0]

    (root / "requirements.txt").write_text("numpy = 1\n")
    assert "is no requirement" in choose_interpreter(root).passed_over[0]


def test_the_option_takes_names_on_the_path_and_the_home(root, environment, tmp_path, monkeypatch):
    python = environment(tmp_path / "home" / "e", sys.executable)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{python.parent}:/bin")

    assert choose_interpreter(root, Path("~/e/bin/python")).executable == python
    assert choose_interpreter(root, Path("~/e")).executable == python
    assert choose_interpreter(root, Path("python3")).executable == python.with_name("python3")


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("/bin/true", "/bin/true is no Python; name an interpreter."),
        ("no_such_python", "no_such_python does not exist; name an interpreter that is there."),
        ("/", "/ is a folder without bin/python; name an interpreter, or its environment."),
    ],
)
def test_the_option_has_no_second_choice(root, environment, named, told):
    environment(root / ".venv", sys.executable)

    with pytest.raises(LeaplabError) as raised:
        choose_interpreter(root, Path(named))

    assert str(raised.value) == told


def test_nothing_with_code_loader_says_what_to_do(root, environment, monkeypatch, tmp_path, path_without_poetry):
    bare = environment(tmp_path / "bare", sys.executable, ("numpy",))
    monkeypatch.setattr(sys, "executable", str(bare))
    environment(root / ".venv", bare, ())

    with pytest.raises(LeaplabError) as raised:
        choose_interpreter(root)

    told = str(raised.value)
    assert told.startswith(f"No environment of {root} has code-loader and numpy, nor has leaplab's own ({bare});")
    assert f"make one by `leaplab env {root}`, or name an interpreter by --python." in told
    assert f"{root}/.venv/bin/python" in told
