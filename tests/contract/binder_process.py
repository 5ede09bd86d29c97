"""Binders in processes of their own, because code-loader's binder is one global.

What a child finds out it writes as JSON; each is asked once a session, and every test reads the same answer.
"""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WITHOUT_TENSORFLOW = str(HERE / "without_tensorflow")
"""For PYTHONPATH. No bundle asks for TensorFlow, and a process without it starts ten seconds sooner."""


SAID_BY_CODE_LOADER = "not called in integration test"
"""At the end of a process that bound a simulation and did not run the integration test."""


def said_by_us(stdout: str) -> list[str]:
    """The lines that a process printed, but for code-loader's own."""
    return [line for line in stdout.splitlines() if line and SAID_BY_CODE_LOADER not in line]


def run(arguments: list[str], example: str, root: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in the root of an integration, with `LEAP_EXAMPLE` set."""
    inherited = {name: value for name, value in os.environ.items() if name != "IS_TENSORLEAP_PLATFORM"}
    # The root before site-packages: where this repository is installed, it would stand in for a copy of itself.
    path = os.pathsep.join([str(root), WITHOUT_TENSORFLOW])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**inherited, "TL_DISABLE_ANALYTICS": "true", "LEAP_EXAMPLE": example, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def behaviour(example: str, data_root: Path) -> dict[str, Any]:
    """What probe_behaviour.py finds: the platform's verdict and every handler on samples of each state."""
    environment = {"LEAP_DATA_ROOT": str(data_root), "IS_TENSORLEAP_PLATFORM": "true"}
    return _ask("probe_behaviour.py", example, **environment)


@cache
def imports(example: str, data_root: Path, times: int = 3) -> list[dict[str, Any]]:
    """What probe_import.py finds, in several processes one after the other."""
    # With TensorFlow, so that a binder which imports it is told so.
    environment = {"LEAP_DATA_ROOT": str(data_root), "PYTHONPATH": str(ROOT)}
    return [_ask("probe_import.py", example, **environment) for _ in range(times)]


@cache
def integration_test(example: str, data_root: Path) -> subprocess.CompletedProcess[str]:
    """leap_integration.py, run as a person runs it."""
    return run(["leap_integration.py"], example, LEAP_DATA_ROOT=str(data_root))


def _ask(probe: str, example: str, **environment: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        # -P: the probe's own folder is not on the path.
        process = run(["-P", str(HERE / probe), str(answer)], example, ROOT, **environment)
        assert process.returncode == 0, f"{probe} of {example}: {process.stdout}{process.stderr}"
        found = json.loads(answer.read_text(encoding="utf-8"))
    return {**found, "stdout": process.stdout, "stderr": process.stderr}
