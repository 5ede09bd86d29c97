"""What is installed in an integration's interpreter."""

import functools
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leaplab.environments.interpreter import Interpreter
from leaplab.environments.own import variables_for
from leaplab.errors import LeaplabError

PROCESS = Path(__file__).parents[1] / "worker" / "distributions_process.py"
TIME_LIMIT = 120.0
"""Seconds for listing; a network's file system takes some."""


@dataclass(frozen=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: canonical, as in "opencv-python".
        requires: lines of PEP 508, each with its marker.
        modules: that it brings, each as far down as no other distribution has a share: "cv2", "google.protobuf".
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Installed:
    """What an interpreter says of itself.

    Attributes:
        prefix: of its environment.
        site_packages: folders of installed distributions.
        markers: the environment of PEP 508 in which its requirements' markers hold or not.
        distributions: by canonical name.
    """

    prefix: Path
    site_packages: tuple[Path, ...]
    markers: Mapping[str, str]
    distributions: Mapping[str, Distribution]


def installed_in(python: Interpreter) -> Installed:
    """What is installed in an interpreter; asked once a process.

    Raises:
        LeaplabError: the interpreter cannot be run.
    """
    return _listed(python.executable)


@functools.cache
def _listed(executable: Path) -> Installed:
    # -E and not -I: what a person installed for themselves is there where the integration runs, too.
    command: list[str | Path] = [executable, "-E", "-B", PROCESS]
    try:
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT, env=variables_for(executable)
        )
        if finished.returncode != 0:
            reason = finished.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise LeaplabError(
                f"{executable} does not say what is installed in it ({reason or f'exit code {finished.returncode}'});"
                " name a Python of 3.8 or newer."
            )
        # A .pth file may print, too, before the script does.
        content = json.loads(finished.stdout.decode().strip().rpartition("\n")[2])
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise LeaplabError(f"{executable} does not say what is installed in it: {error}") from error
    return Installed(
        prefix=Path(content["prefix"]),
        site_packages=tuple(map(Path, content["site_packages"])),
        markers=content["markers"],
        distributions={
            found["name"]: Distribution(
                found["name"], found["version"], tuple(found["requires"]), tuple(found["modules"])
            )
            for found in content["distributions"]
        },
    )
