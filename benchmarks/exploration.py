"""The explorer's way to the first map: drawing it cold, and opening a run whose map is drawn."""

import json
import tempfile
from pathlib import Path

from benchmarks.measuring import Figure, watch

MAP = """
import json, sys, time
started = time.perf_counter()
from leaplab.population.population import Population
from leaplab.store.run import RunStore
from pathlib import Path
points = Population(RunStore.open(Path(sys.argv[1]))).map("model", "pacmap")
print(json.dumps({"seconds": time.perf_counter() - started, "points": len(points)}))
"""
OPEN = """
import json, re, subprocess, sys, time
from urllib.request import urlopen
started = time.perf_counter()
command = [sys.executable, "-m", "leaplab", "explore", sys.argv[1], "--no-browser", "--port", "0"]
server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
try:
    address = re.search(r"http://[0-9.]+:[0-9]+/", server.stderr.readline()).group()
    while True:
        try:
            urlopen(address + "api/v1/run").read()
            break
        except OSError:
            time.sleep(0.01)
    print(json.dumps({"seconds": time.perf_counter() - started}))
finally:
    server.terminate()
    server.wait()
"""


def run() -> list[Figure]:
    """One cold map; the best of three openings."""
    with tempfile.TemporaryDirectory() as runs:
        environment = {"LEAP_EXAMPLE": "mnist", "COLUMNS": "200"}
        watch(["-m", "leaplab", "evaluate", "--runs", runs], environment)
        run_folder = str(next(Path(runs).iterdir()))
        drawn = json.loads(watch(["-c", MAP, run_folder], environment).output.splitlines()[-1])
        openings = [
            json.loads(watch(["-c", OPEN, run_folder], environment).output.splitlines()[-1])["seconds"]
            for _ in range(3)
        ]
    return [
        Figure(f"map of {drawn['points']:,} samples, cold process", drawn["seconds"], "s", 30),
        Figure("leaplab explore, start to first response", min(openings), "s"),
    ]
