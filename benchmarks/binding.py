"""Binding must be cheap: the root binder's import beyond code-loader's own."""

import json

from benchmarks.measuring import Figure, watch

REPEATS = 5
SCRIPT = """
import json, sys, time
started = time.perf_counter()
import code_loader
between = time.perf_counter()
import leap_binder
ended = time.perf_counter()
heavy = sorted({"tensorflow", "keras", "torch", "sklearn"} & set(sys.modules))
print(json.dumps({"code_loader": between - started, "binder": ended - between, "heavy": heavy}))
"""


def run() -> list[Figure]:
    """The fastest of five cold processes, after one that fills the disk cache."""
    results = [json.loads(watch(["-c", SCRIPT]).output.splitlines()[-1]) for _ in range(REPEATS + 1)][1:]
    assert all(not result["heavy"] for result in results), results
    return [
        Figure("import code_loader", min(result["code_loader"] for result in results), "s"),
        Figure("import leap_binder beyond that", min(result["binder"] for result in results), "s", 0.6),
    ]
