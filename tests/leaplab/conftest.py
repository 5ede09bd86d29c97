"""Small integrations to evaluate, their models, and `leaplab` as a user calls it."""

import functools
import importlib.util
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from leaplab.cli import main
from leaplab.evaluate.local_runner import LocalRunner
from leaplab.evaluate.run import Options, carry_out, prepare
from leaplab.project.locate import find_project
from leaplab.protocol.operations import PLAN
from leaplab.protocol.plan import Part, PlanOrder
from leaplab.session import opening as sessions
from leaplab.session.opening import Session, open_session
from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest
from leaplab.store.run import RunStore

if TYPE_CHECKING:
    from playwright.sync_api import Browser

INTEGRATIONS = Path(__file__).with_name("integrations")
PLANNED = ("states", "limit", "batch_size", "float16", "latent")
"""Options of an evaluation that say which samples it is of, and how."""
Changes = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A headless Chromium, for the tests of one file."""
    from tests.browser import chromium_browser  # Playwright takes its time to import

    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """`command("evaluate", path)`: the console script in this process; the integration still has its own."""

    def run(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["leaplab", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Finished(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands of one integration share its process: binding it takes most of their time."""
    # Imported now, or else whoever imports it first while this lasts would keep the function that is put in its place.
    from leaplab.evaluate import evaluation

    opened: dict[tuple[Any, ...], Session] = {}
    open_session = sessions.open_session

    def shared(*arguments: Any, unwanted: Any = None, **limits: Any) -> nullcontext[Session]:
        if arguments not in opened:
            opened[arguments] = partial(open_session, **limits)(*arguments)
        return nullcontext(opened[arguments])

    for module in (sessions, evaluation):
        monkeypatch.setattr(module, "open_session", shared)
    yield
    for session in opened.values():
        session.close()
    assert len(opened) <= 1, "the commands asked for different sessions"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of a server of S3 on this machine, which this process and those that it starts find by themselves."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().makedirs("laboratory", exist_ok=True)  # it outlives its server
        yield f"s3://laboratory/{port}"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A copy of an integration, with `changes` {file: (old, new)} made and its model `NAME.onnx` written."""

    def make(name: str = "tiny", changes: Changes | None = None, **model: Any) -> Path:
        root = tmp_path_factory.mktemp(name)
        shutil.copytree(INTEGRATIONS / name, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        onnx.save(tiny_model(**model), root / "tiny.onnx")
        for file, (old, new) in (changes or {}).items():
            change(root / file, old, new)
        return root

    return make


@pytest.fixture(scope="session")
def tiny(make_project: Callable[..., Path]) -> Path:
    """The unchanged small integration; tests leave it so."""
    return make_project()


@pytest.fixture(scope="module")
def tiny_session(tiny: Path) -> Iterator[Session]:
    """The small integration, bound once for a module's tests."""
    with open_session(find_project(tiny)) as session:
        yield session


@pytest.fixture(scope="session")
def tiny_run(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """Its run with the default options; tests leave it so."""
    return evaluate_to(tmp_path_factory.mktemp("runs"), tiny)


@pytest.fixture(scope="session")
def evaluated() -> Callable[..., RunStore]:
    """`evaluated(runs, root, part_size=7, **options)`: a run, made without the map of the command."""
    return evaluate_to


@pytest.fixture(scope="session")
def plain_functions() -> Callable[[str], ModuleType]:
    """`plain_functions("samples")`: a module of the small integration, to compute the same without leaplab."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"tiny_{name}", INTEGRATIONS / "tiny" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def stored_rows() -> Callable[..., list[dict[str, Any]]]:
    """The rows of a run's table as plain Python values, read without leaplab: None is absent, NaN is NaN."""

    def read(store: RunStore, table: str = "samples") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for path in sorted((store.path / table).glob("*.parquet")):
            with duckdb.connect() as connection:
                cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
                names = [column[0] for column in cursor.description]
                rows += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return rows

    return read


@pytest.fixture
def make_manifest() -> Callable[..., Manifest]:
    """`make_manifest(parts={"training": (2, 1)}, columns={"loss.a": "float"}, **fields)`."""

    def make(
        parts: dict[str, tuple[int, ...]] | None = None, columns: dict[str, Any] | None = None, **fields: Any
    ) -> Manifest:
        planned: list[Part] = []
        for state, sizes in (parts or {"training": (2, 1)}).items():
            start = 0
            for size in sizes:
                planned.append(Part(len(planned), state, start, start + size))
                start += size
        known: dict[str, Any] = {
            "schema": SCHEMA,
            "identity": "one",
            "basis": "any",
            "created": "2026-01-02T03:04:05+00:00",
            "integration": "somewhere",
            "entry_file": "leap_binder.py",
            "model": "model.onnx",
            "model_option": None,
            "model_format": "onnx",
            "latent_source": "features",
            "states": {},
            "predictions": (),
            "visualizers": (),
            "notices": (),
        }
        for part in planned:
            known["states"][part.state] = part.stop
        entries = {n: e if isinstance(e, ColumnEntry) else ColumnEntry(e) for n, e in (columns or {}).items()}
        return Manifest(parts=tuple(planned), columns=entries, **{**known, **fields})

    return make


@pytest.fixture(scope="session")
def changed() -> Callable[[Path, str, str], None]:
    """`changed(file, old, new)` replaces the one place where `old` stands."""
    return change


@pytest.fixture(scope="session")
def make_model() -> Callable[..., onnx.ModelProto]:
    """`tiny_model`."""
    return tiny_model


def evaluate_to(
    runs: Path,
    root: Path,
    part_size: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
    session: Any = None,
    **options: Any,
) -> RunStore:
    ordered = {name: options.pop(name) for name in PLANNED if name in options}
    if "states" in ordered:
        ordered["states"] = tuple(ordered["states"])
    chosen = Options(runs, order=PlanOrder(**ordered), **options)

    def bind(unwanted: threading.Event) -> Session:
        return open_session(find_project(root), chosen.model, unwanted=unwanted)

    with nullcontext(session) if session else open_session(find_project(root), chosen.model) as opened:
        planning: Any = opened if part_size is None else _SmallParts(opened, part_size)
        with prepare(planning, chosen) as prepared:
            carry_out(LocalRunner(bind, prepared.load, opened), prepared.store, prepared.plan, progress)
    return RunStore.open(prepared.store.path)


class _SmallParts:
    """A session that plans parts of another size than the default."""

    def __init__(self, session: Any, part_size: int) -> None:
        self._session, self._part_size = session, part_size
        self.interpreter = session.interpreter

    def call(self, operation: Any, argument: Any = None) -> Any:
        if operation is PLAN:
            argument = replace(argument, part_size=self._part_size)
        return self._session.call(operation, argument)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")


@functools.cache
def _weights(seed: int) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    shapes = {"kernel": (4, 1, 3, 3), "kernel_bias": (4,), "dense": (4, 3), "dense_bias": (3,)}
    return {name: generator.normal(0, 2, shape).astype(np.float32) for name, shape in shapes.items()}


def tiny_model(
    batch: int | None = None,
    classes: int = 3,
    outputs: int = 1,
    inputs: Sequence[str] = ("image", "bias"),
    seed: int = 3,
) -> onnx.ModelProto:
    """image [B, 6, 6, 1] and bias [B, 3] -> Conv, Relu, GlobalAveragePool, Flatten, Gemm, Add, Softmax -> [B, 3]."""
    weights = dict(_weights(seed))
    if classes != 3:
        weights["dense"], weights["dense_bias"] = np.ones((4, classes), np.float32), np.ones(classes, np.float32)
    rows = "batch" if batch is None else batch
    declared = {
        "image": helper.make_tensor_value_info("image", TensorProto.FLOAT, [rows, 6, 6, 1]),
        "bias": helper.make_tensor_value_info("bias", TensorProto.FLOAT, [rows, classes]),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["channels_first", "kernel", "kernel_bias"], ["maps"], name="conv"),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["means"]),
        helper.make_node("Flatten", ["means"], ["features"]),
        helper.make_node("Gemm", ["features", "dense", "dense_bias"], ["logits"], name="head"),
        helper.make_node("Add", ["logits", "bias"], ["biased"])
        if "bias" in inputs
        else helper.make_node("Identity", ["logits"], ["biased"]),
        helper.make_node("Softmax", ["biased"], ["classes_0"], axis=-1),
        *(helper.make_node("Identity", ["classes_0"], [f"classes_{place}"]) for place in range(1, outputs)),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [declared[name] for name in inputs],
        [helper.make_tensor_value_info(f"classes_{p}", TensorProto.FLOAT, [rows, classes]) for p in range(outputs)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


@pytest.fixture(scope="session")
def make_dense_model() -> Callable[..., onnx.ModelProto]:
    """vector [B, 4] -> MatMul `first`, Relu, MatMul `second` -> [B, 2]: the model of the integration `plain`."""
    generator = np.random.default_rng(11)
    weights = {
        "first": generator.normal(size=(4, 5)).astype(np.float32),
        "second": generator.normal(size=(5, 2)).astype(np.float32),
    }

    def make() -> onnx.ModelProto:
        nodes = [
            helper.make_node("MatMul", ["vector", "first"], ["products"]),
            helper.make_node("Relu", ["products"], ["hidden"]),
            helper.make_node("MatMul", ["hidden", "second"], ["halves"]),
        ]
        ends = {"vector": 4, "halves": 2}
        given, result = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", w]) for n, w in ends.items())
        initializers = [numpy_helper.from_array(array, name) for name, array in weights.items()]
        graph = helper.make_graph(nodes, "dense", [given], [result], initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    make.weights = weights  # type: ignore[attr-defined]
    return make
