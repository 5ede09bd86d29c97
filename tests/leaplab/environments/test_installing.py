"""What pip says, as a sentence."""

import pytest

from leaplab.environments.asked import Line
from leaplab.environments.installing import Pip

LINES = [
    Line("numpy==1.19.5", "requirements.txt, line 1", "numpy"),
    Line("lap==0.4.0", "requirements.txt, line 3", "lap"),
    Line("git+https://example.invalid/x.git", "requirements.txt, line 4"),
    Line("code-loader==1.0.214", "", "code-loader"),
]
UNFOUND = """
ERROR: Ignored the following versions that require a different python version: 1.25.0 Requires-Python >=3.9
ERROR: Could not find a version that satisfies the requirement numpy==1.19.5 (from versions: 1.20.0, 1.24.4)
ERROR: No matching distribution found for numpy==1.19.5
"""
UNREACHED = """
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': Failed to establish
ERROR: Could not find a version that satisfies the requirement lap==0.4.0 (from versions: none)
ERROR: No matching distribution found for lap==0.4.0
"""
CONFLICT = """
ERROR: Cannot install code-loader and numpy==1.19.5 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested numpy==1.19.5
    code-loader 1.0.214 depends on numpy<2.0.0 and >=1.22.3

To fix this you could try to:
1. loosen the range of package versions you've specified
ERROR: ResolutionImpossible: for help visit
"""
UNBUILT = """
Collecting urllib3
  Running setup.py install for lap: finished with status 'error'
  error: subprocess-exited-with-error
  × Running setup.py install for lap did not run successfully.
      ModuleNotFoundError: No module named 'numpy'
      ImportError: lap requires numpy, please "pip install numpy".
error: legacy-install-failure
× Encountered error while trying to install package.
╰─> lap
note: This is an issue with the package mentioned above, not pip.
"""
UNFETCHED = """
Collecting git+https://example.invalid/x.git (from -r r.txt (line 2))
  fatal: unable to access 'https://example.invalid/x.git/': Could not resolve host
  error: subprocess-exited-with-error
error: subprocess-exited-with-error
"""
TRANSITIVE = """
Collecting psutil<6
  error: subprocess-exited-with-error
      error: command 'gcc' failed: No such file or directory
  ERROR: Failed building wheel for psutil
ERROR: Could not build wheels for psutil, which is required to install pyproject.toml-based projects
"""


@pytest.fixture
def failure(script, tmp_path):
    def fail(output):
        (tmp_path / "output").write_text(output)
        with (tmp_path / "lock").open("w") as lock:
            python = script(f"cat {tmp_path / 'output'}; exit 1")
            return Pip(python, tmp_path, lock.fileno(), lambda sentence: None).install(LINES)

    return fail


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (
            UNFOUND,
            "requirements.txt, line 1: numpy==1.19.5 cannot be installed into Python 3.8.18: No matching distribution"
            " found for numpy==1.19.5 (the newest is 1.24.4); correct the line, or ask for another pythonVersion in"
            " leap.yaml.",
        ),
        (
            UNREACHED,
            "requirements.txt, line 3: lap==0.4.0 cannot be installed into Python 3.8.18: no package index answers.",
        ),
        (
            CONFLICT,
            "requirements.txt, line 1: numpy==1.19.5 cannot be installed into Python 3.8.18: The user requested"
            " numpy==1.19.5, and code-loader 1.0.214 depends on numpy<2.0.0 and >=1.22.3; correct the line, or ask"
            " for another pythonVersion in leap.yaml.",
        ),
        (
            UNBUILT,
            "requirements.txt, line 3: lap==0.4.0 cannot be installed into Python 3.8.18: ImportError: lap requires"
            ' numpy, please "pip install numpy".',
        ),
        (
            UNFETCHED,
            "requirements.txt, line 4: git+https://example.invalid/x.git cannot be installed into Python 3.8.18:"
            " fatal: unable to access 'https://example.invalid/x.git/': Could not resolve host.",
        ),
        (
            TRANSITIVE,
            "What requirements.txt asks for cannot be installed into Python 3.8.18: psutil, which something needs,"
            " cannot be built (error: command 'gcc' failed: No such file or directory).",
        ),
        (
            "ERROR: Invalid requirement: 'x = 1' (from line 2 of /tmp/a/asked.txt)\n",
            "requirements.txt, line 3: lap==0.4.0 cannot be installed into Python 3.8.18: Invalid requirement:"
            " 'x = 1'.",
        ),
        ("", "What requirements.txt asks for cannot be installed into Python 3.8.18: it says nothing."),
    ],
)
def test_a_failure_is_one_sentence_with_its_line(failure, tmp_path, output, told):
    assert failure(output).sentence(tmp_path / "requirements.txt", "3.8.18") == told


def test_what_may_give_way_is_told_from_what_may_not(failure):
    assert [failure(output).conflicts for output in (UNFOUND, CONFLICT, UNREACHED, UNBUILT)] == [
        True,
        True,
        False,
        False,
    ]
    assert failure(UNBUILT).lacking == "numpy"


def test_large_downloads_and_builds_are_told(script, tmp_path):
    told: list[str] = []
    (tmp_path / "output").write_text(
        "  Downloading tqdm-4.67-py3-none-any.whl (78 kB)\n"
        "  Downloading numpy-1.24.4-cp38-cp38-manylinux2014_x86_64.whl (17.3 MB)\n"
        "  Downloading torch-2.1.0-cp39-cp39-manylinux1_x86_64.whl (670.2 MB)\n"
        "Downloading https://example.org/nvidia_cudnn-9.1-py3-none-any.whl (1.2 GB)\n"
        "  Building wheel for lap (setup.py): started\n"
    )
    with (tmp_path / "lock").open("w") as lock:
        python = script(f"cat {tmp_path / 'output'}")
        assert Pip(python, tmp_path, lock.fileno(), told.append).install(LINES) is None

    assert told == ["Downloading torch 2.1.0 (670.2 MB)", "Downloading nvidia_cudnn 9.1 (1.2 GB)", "Building lap"]
