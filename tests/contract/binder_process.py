"""Binders in processes of their own, because code-loader's binder is one global.

What a child finds out it writes as JSON; each is asked once a session, and every test reads the same answer.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

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


def copy(example: str, root: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """An example's integration elsewhere, without models, with other settings; the folder.

    Args:
        change: changes the content of its project_config.yaml in place.
    """
    for name in ("data_access", "tasks", "vision", example):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
    for name in ("leap_binder.py", "leap_integration.py", "leap_test.py", "project_config.yaml"):
        shutil.copy(ROOT / name, root / name)
    settings = root / example / "project_config.yaml"
    config = yaml.safe_load(settings.read_text(encoding="utf-8"))
    change(config)
    settings.write_text(yaml.safe_dump(config), encoding="utf-8")
    (root / "models").mkdir()
    return root


@cache
def behaviour(example: str, data_root: Path, root: Path = ROOT) -> dict[str, Any]:
    """What probe_behaviour.py finds: the platform's verdict and every handler on samples of each state."""
    environment = {"LEAP_DATA_ROOT": str(data_root), "IS_TENSORLEAP_PLATFORM": "true"}
    return _ask("probe_behaviour.py", example, root, **environment)


@cache
def imports(example: str, data_root: Path, times: int = 3) -> list[dict[str, Any]]:
    """What probe_import.py finds, in several processes one after the other."""
    # With TensorFlow, so that a binder which imports it is told so.
    environment = {"LEAP_DATA_ROOT": str(data_root), "PYTHONPATH": str(ROOT)}
    return [_ask("probe_import.py", example, ROOT, **environment) for _ in range(times)]


@cache
def integration_test(example: str, data_root: Path) -> subprocess.CompletedProcess[str]:
    """leap_integration.py, run as a person runs it."""
    return run(["leap_integration.py"], example, LEAP_DATA_ROOT=str(data_root))


def _ask(probe: str, example: str, root: Path, **environment: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        # -P: the probe's own folder is not on the path.
        process = run(["-P", str(HERE / probe), str(answer)], example, root, **environment)
        assert process.returncode == 0, f"{probe} of {example}: {process.stdout}{process.stderr}"
        found = json.loads(answer.read_text(encoding="utf-8"))
    return {**found, "stdout": process.stdout, "stderr": process.stderr}
