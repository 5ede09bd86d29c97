"""Run by binder_process.py: what importing the root binder costs and does, beyond importing code-loader."""

import json
import os
import sys
import time
from pathlib import Path

SENDS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen"}
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.truncate"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC

watching = False
sent: list[str] = []
written: list[str] = []
opened: list[str] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Notes what this process does to the network and to files."""
    if not watching:
        return
    if event in SENDS:
        sent.append(f"{event} {arguments}")
    # Python's own cache of compiled modules is written by Python, not by the binder.
    elif "__pycache__" in str(arguments):
        return
    elif event in CHANGES:
        written.append(f"{event} {arguments[0]}")
    elif event == "open":
        (written if int(str(arguments[2])) & WRITES else opened).append(str(arguments[0]))


started = time.process_time()
import code_loader  # noqa: E402, F401

code_loader_took = time.process_time() - started
sys.addaudithook(watch)
modules = set(sys.modules)
watching = True
started = time.process_time()
import leap_binder  # noqa: E402

binder_took = time.process_time() - started
watching = False

answer = {
    "code_loader_processor_seconds": code_loader_took,
    "binder_processor_seconds": binder_took,
    "binder": leap_binder.__file__,
    "modules": sorted(sys.modules),
    "sent": sent,
    "written": written,
    "opened": opened,
}
Path(sys.argv[1]).write_text(json.dumps(answer), encoding="utf-8")
