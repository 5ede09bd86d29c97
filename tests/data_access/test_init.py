"""What importing the package costs: every example does so while it binds."""

import os
import subprocess
import sys
from pathlib import Path

import data_access

MODULES = sorted(path.stem for path in Path(data_access.__file__).parent.glob("*.py") if path.stem != "__init__")

SCRIPT = f"""
import sys
seen = []
def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event.startswith(("socket.", "subprocess.", "os.mkdir", "os.rename", "os.remove")):
        seen.append((event, arguments))
sys.addaudithook(watch)
import importlib
for name in {MODULES}:
    importlib.import_module("data_access." + name)
heavy = {{"requests", "urllib3", "tqdm", "filelock", "cv2", "tensorflow", "keras", "pandas", "scipy"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert not seen, seen
"""


def test_importing_loads_nothing_heavy_and_touches_nothing() -> None:
    assert {"archive", "download", "errors", "root", "sampling", "settings"} <= set(MODULES)
    finished = subprocess.run(
        [sys.executable, "-B", "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(Path(data_access.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_the_package_is_typed() -> None:
    assert (Path(data_access.__file__).parent / "py.typed").is_file()
