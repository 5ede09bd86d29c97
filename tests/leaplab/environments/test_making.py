"""Environments as they are made. In those that are `long` pip takes what it needs from the index that it is told of."""

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from leaplab.environments.choosing import choose_interpreter
from leaplab.environments.facts import inspect_interpreter, read_packages
from leaplab.environments.made import MARKER, alone, find_made, made_environment, read_marker, read_recipe
from leaplab.environments.making import Environment, make_environment
from leaplab.errors import LeaplabError

MAKES = """
import sys
from pathlib import Path
from leaplab.environments.making import make_environment
make_environment(Path(sys.argv[1]))
"""


@pytest.fixture
def integration(root):
    """`integration({file: text})`: a folder with these files, and its `leap.yaml`."""

    def write(files, python="py38"):
        (root / "leap.yaml").write_text(f"entryFile: leap_binder.py\npythonVersion: {python}\n")
        for name, text in {"leap_binder.py": "import numpy\n", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(textwrap.dedent(text))
        return root

    return write


@pytest.fixture
def told() -> list[str]:
    return []


def installed(environment: Environment) -> dict[str, str]:
    return read_packages(environment.python).distributions


@pytest.mark.long
@pytest.mark.python("3.8")
def test_an_environment_is_made_once_and_grows(integration, told):
    root = integration(
        {
            "leap_binder.py": "import numpy, no_such_distribution_anywhere\nfrom more import x\n",
            "more.py": "import tqdm\n",
            "requirements.txt": "numpy==1.24.4\ncode-loader==1.0.90\n",
        }
    )

    made = make_environment(root, progress=told.append)

    assert made.requirements == root / "requirements.txt"
    assert made.version == inspect_interpreter(made.python).version_text
    assert made.version.startswith("3.8.")
    there = installed(made)
    assert there["numpy"] == "1.24.4"
    assert tuple(map(int, there["code-loader"].split("."))) >= (1, 0, 214)
    assert "tqdm" in there
    assert int(there["setuptools"].split(".")[0]) < 81
    missing = "no_such_distribution_anywhere, which leap_binder.py imports, cannot be brought: No matching distribution"
    assert [sentence.startswith(missing) for sentence in made.missing] == [True]
    assert "requirements.txt, line 2: 'code-loader==1.0.90' is passed over for the newest code-loader." in made.notes
    assert "tqdm is imported by more.py and required by nothing: installing it." in made.notes
    assert told[1] == f"Making an environment of Python {made.version}, as leap.yaml (py38) asks"
    assert "Installing 1 requirement of requirements.txt" in told

    chosen = choose_interpreter(root)
    assert (chosen.executable, chosen.origin) == (made.python, "made")
    assert made_environment(root) == made.python

    begun = time.monotonic()
    assert make_environment(root) == made
    assert time.monotonic() - begun < 5

    (root / "more.py").write_text("import tqdm, einops\n")
    assert made_environment(root) is None
    told.clear()
    grown = make_environment(root, progress=told.append)
    assert grown.python == made.python
    assert installed(grown)["einops"]
    assert "Going on with the environment of Python" in told[1]

    (root / "requirements.txt").write_text("numpy==1.24.3\n")
    other = make_environment(root)
    assert other.python != made.python
    assert not made.python.exists()  # what was made before takes gigabytes, and is never used again
    assert installed(other)["numpy"] == "1.24.3"


@pytest.mark.long
@pytest.mark.python("3.8")
def test_an_interrupted_run_is_gone_on_with(integration, told, tmp_path):
    root = integration({"requirements.txt": "numpy==1.24.4\n", "leap_binder.py": "import tqdm\n"})
    folder = read_recipe(root).folder
    process = subprocess.Popen([sys.executable, "-c", MAKES, root])
    deadline = time.monotonic() + 120
    while not list(folder.glob("lib/python3.8/site-packages/numpy")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert read_marker(folder) is None
    assert made_environment(root) is None

    made = make_environment(root, progress=told.append)  # waits for the pip that the killed one has left

    assert installed(made)["numpy"] == "1.24.4"
    assert "tqdm" in installed(made)
    assert any(sentence.startswith("Going on with the environment") for sentence in told)
    assert not any(sentence.startswith("Making an environment") for sentence in told)

    # A distribution whose files were half written when everything was killed.
    (packages,) = folder.glob("lib/python3.8/site-packages")
    (folder / MARKER).unlink()
    (info,) = packages.glob("tqdm-*.dist-info")
    (info / "INSTALLER").unlink()
    shutil.rmtree(packages / "tqdm")
    (packages / "~umpy").mkdir()
    make_environment(root)
    assert (packages / "tqdm" / "__init__.py").is_file()
    assert not (packages / "~umpy").exists()

    # An environment that does not start is made anew, and so is one by --rebuild.
    made.python.unlink()
    told.clear()
    assert make_environment(root, progress=told.append).python == made.python
    assert told[0].startswith("Making an environment")
    (folder / "left").touch()
    make_environment(root, rebuild=True)
    assert not (folder / "left").exists()


@pytest.mark.long
@pytest.mark.python("3.8")
def test_what_does_not_exist_is_one_sentence_with_its_line(integration):
    root = integration({"requirements.txt": "tqdm\n# no such thing\nno-such-distribution-anywhere==9\n"})

    with pytest.raises(LeaplabError) as raised:
        make_environment(root)

    assert str(raised.value).startswith(
        "requirements.txt, line 3: no-such-distribution-anywhere==9 cannot be installed into Python 3.8."
    )
    assert "No matching distribution found for no-such-distribution-anywhere==9; correct the line" in str(raised.value)
    assert made_environment(root) is None
    assert find_made(root).told == ""  # nothing was finished, and nothing is out of date


@pytest.mark.long
@pytest.mark.python("3.8")
def test_a_pin_that_code_loader_excludes_gives_way(integration):
    root = integration({"requirements.txt": "tqdm==4.66.1\nnumpy==1.19.5\n"})

    made = make_environment(root)

    assert [note.split(" is not held to: ")[0] for note in made.notes] == ["requirements.txt, line 2: numpy==1.19.5"]
    assert installed(made)["tqdm"] == "4.66.1"
    assert installed(made)["numpy"] != "1.19.5"


@pytest.mark.long
@pytest.mark.python("3.9")
def test_a_lock_s_pins_are_held_to_where_code_loader_lets_them(integration):
    root = integration(
        {
            "pyproject.toml": """
                [tool.poetry.dependencies]
                python = ">=3.9,<3.10"
                code-loader = "^1.0.90"
                tqdm = "*"
                """,
            "poetry.lock": """
                [[package]]
                name = "code-loader"
                version = "1.0.90"
                [package.dependencies]
                numpy = "*"
                [[package]]
                name = "numpy"
                version = "1.19.5"
                [[package]]
                name = "tqdm"
                version = "4.65.0"
                """,
        },
        python="py39",
    )
    made = make_environment(root)
    there = installed(made)
    assert (there["tqdm"], there["code-loader"] != "1.0.90", there["numpy"] != "1.19.5") == ("4.65.0", True, True)
    assert made.requirements == root / "pyproject.toml"

    (root / "poetry.lock").write_text('[[package]]\nname = "tqdm"\nversion = "4.65.999"\n')
    made = make_environment(root)
    assert [note.split(":")[0] for note in made.notes[1:]] == ["poetry.lock is not held to"]
    assert installed(made)["tqdm"] != "4.65.0"


@pytest.mark.long
@pytest.mark.python("3.8")
def test_what_is_built_with_numpy_or_pkg_resources_is_built(integration):
    """Old distributions whose setup.py imports both."""
    root = integration(
        {
            "requirements.txt": "./old\n",
            "leap_binder.py": "import old_library\n",
            "old/setup.py": """
                import numpy, pkg_resources
                from setuptools import setup
                setup(name="old-library", version="1.0", py_modules=["old_library"])
                """,
            "old/old_library.py": "",
        }
    )

    made = make_environment(root)

    assert "Something is built with numpy: numpy is installed first." in made.notes
    assert installed(made)["old-library"] == "1.0"


@pytest.mark.long
@pytest.mark.python("3.10")
def test_a_folder_without_requirements_gets_what_it_imports(integration):
    root = integration({"leap_binder.py": "import yaml\nfrom PIL import Image\n"}, python="3.10.2")

    made = make_environment(root)

    assert made.requirements is None
    assert made.version.startswith("3.10.")
    assert "The folder has no requirements file: what its code imports is installed." in made.notes
    assert "PIL is imported by leap_binder.py and required by nothing: installing it." in made.notes
    assert {"pillow", "pyyaml", "numpy"} <= installed(made).keys()
    assert json.loads((made.python.parents[1] / MARKER).read_text())["python"] == str(made.python)


# Python, venv and pip of a machine on which one step goes on until the file `go` is there.
STAND_IN = """\
case "$*" in
*"%s"*) touch "%s/begun"; until [ -e "%s/go" ]; do sleep 0.05; done ;;
esac
case "$*" in
*" -m venv "*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
*) echo '{"leaplab": {"version": [3, %d, 0], "executable": "", "prefix": "", "platform": "", "numpy": null,\
 "code_loader": null, "makes_environments": true, "distributions": {"pip": "24"}, "code_loader_needs": [],\
 "absent": []}}' ;;
esac
"""


@pytest.fixture
def killed(root, script, tmp_path, monkeypatch):
    """`killed("-m pip")`: kill a leaplab that makes the root's environment while this command of its runs on."""

    def kill(step):
        minor = sys.version_info.minor
        stand_in = script(STAND_IN % (step, tmp_path, tmp_path, minor), f"python3.{minor}")
        monkeypatch.setenv("PATH", f"{stand_in.parent}:/usr/bin:/bin")
        process = subprocess.Popen([sys.executable, "-c", MAKES, root], start_new_session=True)
        wait_until((tmp_path / "begun").exists)
        process.kill()
        process.wait()

    yield kill
    (tmp_path / "go").touch()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_free(folder: Path) -> bool:
    def refuse() -> None:
        raise BlockingIOError

    try:
        with alone(folder, refuse):
            return True
    except BlockingIOError:
        return False


@pytest.mark.parametrize("step", ["-m venv", "-m pip"])
def test_what_a_killed_leaplab_has_left_writing_holds_the_lock_until_it_ends(root, killed, tmp_path, step):
    killed(step)
    folder = read_recipe(root).folder
    assert not is_free(folder)

    (tmp_path / "go").touch()
    wait_until(lambda: is_free(folder))


def test_what_it_has_left_reading_holds_no_lock(root, killed):
    """An interpreter that does not answer would hold it forever: nobody is there who ends it."""
    killed("facts_process.py packages")

    assert is_free(read_recipe(root).folder)


def test_what_is_no_folder_is_one_sentence(tmp_path):
    with pytest.raises(LeaplabError, match="nowhere is not a folder; name the folder of an integration"):
        make_environment(tmp_path / "nowhere")
