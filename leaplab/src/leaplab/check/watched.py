"""The binder in a process of its own, which may print, hang or die."""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leaplab.environments.interpreter import Interpreter
from leaplab.environments.limited_process import run_limited
from leaplab.environments.own import variables_for
from leaplab.project.locate import Project
from leaplab.protocol.script_failure import how_ended, last_printed

SCRIPT = Path(__file__).parents[1] / "worker" / "binding_process.py"


@dataclass(frozen=True)
class Outcome:
    """How the process ended.

    Attributes:
        report: what it wrote; of the last stage that it reached where it did not come to its end.
        ended: empty where it came to its end, else how it did not, for a sentence: "was ended by SIGKILL".
        output: the end of what it printed.
    """

    report: dict[str, Any] = field(default_factory=dict)
    ended: str = ""
    output: str = ""


def run_locally(project: Project, python: Interpreter, time_limit: float) -> Outcome:
    """Bind an integration and run its integration test as an IDE does, for at most `time_limit` seconds."""
    with tempfile.TemporaryDirectory(prefix="leaplab-check-") as folder:
        report = Path(folder) / "report.json"
        # -B: a check leaves no __pycache__ behind.
        command: list[str | Path] = [python.executable, "-B", SCRIPT, str(project.root), project.entry_file, report]
        variables = variables_for(python.executable)
        inherited = {name: value for name, value in variables.items() if name != "IS_TENSORLEAP_PLATFORM"}
        quiet = {"TL_DISABLE_ANALYTICS": "true", "TF_CPP_MIN_LOG_LEVEL": "3"}
        finished = run_limited(command, project.root, inherited | quiet, time_limit)
        told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    ended = finished.how
    if not ended and not told.get("error") and told.get("stage") != "done":
        ended = how_ended(0)  # os._exit(0) looks like a good end
    return Outcome(told, ended, last_printed(finished.output))
