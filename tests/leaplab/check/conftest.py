"""The integration `good`, with faults, and what a check finds in it."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import onnx
import pytest

from leaplab.check import evidence
from leaplab.check.report import Report, check
from leaplab.environments.own import own_interpreter
from leaplab.project.locate import Project
from tests.leaplab.check.variants import Changes, Variant

INTEGRATIONS = Path(__file__).resolve().parents[1] / "integrations"
SHARED = ("samples.py", "project_config.yaml")
UNREAD = ("leap.yaml", "tensorleap_requirements.txt")
"""By the processes that bind the integration: only the bundle depends on them."""
CORES = 2


@pytest.fixture(scope="session")
def make_good(
    tmp_path_factory: pytest.TempPathFactory,
    make_model: Callable[..., onnx.ModelProto],
    changed: Callable[[Path, str, str], None],
) -> Callable[..., Path]:
    """A copy of `good` with `changes` ((file, old, new), ...) made and its model written."""

    def make(changes: Changes = (), **model: Any) -> Path:
        root = tmp_path_factory.mktemp("good")
        for file in (INTEGRATIONS / "good").iterdir():
            if file.is_file():
                shutil.copy(file, root)
        for name in SHARED:
            shutil.copy(INTEGRATIONS / "tiny" / name, root)
        onnx.save(make_model(**model), root / "tiny.onnx")
        for name, old, new in changes:
            changed(root / name, old, new)
        return root

    return make


@pytest.fixture(scope="session")
def checked(
    request: pytest.FixtureRequest, make_good: Callable[..., Path]
) -> Iterator[Callable[[Variant], tuple[Path, Report]]]:
    """`checked(variant)`: its folder, and the report on it.

    A check waits for its processes, so those of all variants that are tested in this session run two at a time.
    """
    with ThreadPoolExecutor(CORES) as pool, pytest.MonkeyPatch.context() as patch:
        for name in ("run_locally", "_probed"):
            patch.setattr(evidence, name, _once_a_content(getattr(evidence, name)))
        started: dict[str, tuple[Path, Future[Report]]] = {}

        def start(variant: Variant) -> tuple[Path, Future[Report]]:
            if str(variant) not in started:
                root = make_good(variant.changes, **variant.model)
                if variant.prepare is not None:
                    variant.prepare(root)
                python = replace(own_interpreter(), origin=variant.origin)
                started[str(variant)] = root, pool.submit(check, root, time_limit=variant.time_limit, python=python)
            return started[str(variant)]

        for item in request.session.items:
            if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
                for value in item.callspec.params.values():
                    if isinstance(value, Variant):
                        start(value)
        # All of them first: pytest parses the source of a failing test, and CPython 3.11 must not parse twice at once.
        wait([report for _, report in started.values()])

        def finish(variant: Variant) -> tuple[Path, Report]:
            root, report = start(variant)
            return root, report.result()

        yield finish
        pool.shutdown(cancel_futures=True)


def _once_a_content(run: Callable[..., Any]) -> Callable[..., Any]:
    """Run it once for folders whose code, settings and model are the same.

    These processes read neither leap.yaml nor the requirements, and tell places relative to the folder.
    """
    lock, results = Lock(), dict[str, Future[Any]]()

    def once(project: Project, *arguments: Any) -> Any:
        digest = hashlib.sha256(repr((project.entry_file, arguments)).encode())
        for path in sorted(project.root.rglob("*")):
            if path.suffix in (".py", ".onnx", ".txt", ".yaml") and path.is_file() and path.name not in UNREAD:
                digest.update(path.relative_to(project.root).as_posix().encode() + b"\0" + path.read_bytes())
        key = digest.hexdigest()
        with lock:
            first = key not in results
            future = results.setdefault(key, Future())
        if first:
            try:
                future.set_result(run(project, *arguments))
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    return once
