"""leaplab from its wheel, with its own requirements alone, on strangers' integrations in their own environments."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Installed:
    """leaplab's command in an environment of its own, with a cache of its own."""

    command: Path
    variables: dict[str, str]

    def run(self, *arguments: object, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        finished = subprocess.run(
            [self.command, *map(str, arguments)],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        assert code is None or finished.returncode == code, finished.stdout + finished.stderr
        return finished

    def json(self, *arguments: object, code: int | None = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)


@pytest.fixture(scope="session")
def installed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """leaplab's wheel in an environment that holds what it requires, and nothing else."""
    folder = tmp_path_factory.mktemp("leaplab")
    make = ["make", "--silent", "--old-file=.venv/ready", "wheel", f"WHEELS={folder}"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(make, cwd=repository, env=inherited, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = folder.glob("leaplab-*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip: list[str | Path] = [
        environment / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        wheel,
    ]
    subprocess.run(pip, check=True)
    absent = {"code_loader", "tensorflow", "keras", "onnxruntime"}
    names = f"import importlib.util as u; print([n for n in {sorted(absent)} if u.find_spec(n)])"
    found = subprocess.run([environment / "bin" / "python", "-c", names], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    variables = {
        **{name: os.environ[name] for name in ("HOME", "PYENV_ROOT") if name in os.environ},
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        "PATH": "/usr/bin:/bin",
        "COLUMNS": "300",
        "LEAPLAB_CACHE": str(folder / "cache"),
    }
    return Installed(environment / "bin" / "leaplab", variables)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The integration of Python 3.8, with its model."""
    root = tmp_path_factory.mktemp("parts")
    shutil.copytree(HERE / "python38", root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "model").mkdir()
    onnx.save(parts_model("scores"), root / "model" / "parts.onnx")
    onnx.save(parts_model("features"), root / "features.onnx")
    return root


def parts_model(output: str) -> onnx.ModelProto:
    """part [B, 1, 8, 8] -> Conv, Relu, mean over space `features` [B, 5] -> Gemm, Softmax `scores` [B, 3]."""
    rng = np.random.default_rng(5)
    weights = {
        "kernel": rng.normal(size=(5, 1, 3, 3)),
        "bias": rng.normal(size=5),
        "dense": rng.normal(size=(5, 3)),
        "offset": rng.normal(size=3),
    }
    nodes = [
        helper.make_node("Conv", ["part", "kernel", "bias"], ["maps"]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["means"]),
        helper.make_node("Flatten", ["means"], ["features"]),
        helper.make_node("Gemm", ["features", "dense", "offset"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes if output == "scores" else nodes[:4],
        "parts",
        [helper.make_tensor_value_info("part", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", 3 if output == "scores" else 5])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def interpreter_of(installed: Installed, root: Path) -> tuple[Path, dict[str, Any]]:
    told = installed.json("env", root)
    return Path(told["python"]), told


def directly(python: Path, *arguments: object) -> tuple[list[dict[str, Any]], Any, Any]:
    """What the interpreter gives for each sample without leaplab: rows, predictions, latent vectors."""
    out = Path(str(arguments[0])).parent / "directly.npz"
    command: list[str | Path] = [python, HERE / "directly.py", *map(str, arguments), out]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    with np.load(out) as found:
        return json.loads(str(found["rows"])), found["predictions"], found["vectors"]


def stored(run: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for file in sorted((run / "samples").glob("*.parquet")):
        with duckdb.connect() as connection:
            cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(file)])
            names = [column[0] for column in cursor.description]
            rows += [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    return rows


def arrays(run: Path, kind: str, name: str) -> Any:
    return np.concatenate([np.load(file) for file in sorted((run / kind / name).glob("*.npy"))])


@contextmanager
def explored(installed: Installed, run: Path) -> Iterator[str]:
    """The address at which a run is explored."""
    command: list[str | Path] = [installed.command, "explore", run, "--no-browser", "--port", "0"]
    variables = {**installed.variables, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables, cwd="/") as server:
        assert server.stderr is not None
        try:
            line = server.stderr.readline()
            found = re.search(r"http://[\d.]+:\d+/", line)
            assert found, line
            yield found.group()
        finally:
            server.terminate()


def fetched(address: str, path: str) -> Any:
    with urllib.request.urlopen(address + path, timeout=120) as answer:
        content = answer.read()
        return json.loads(content) if path.startswith("api/") else content.decode()


@pytest.mark.python("3.8")
def test_integration_of_python_3_8_and_numpy_1(installed: Installed, parts: Path, tmp_path: Path) -> None:
    python, told = interpreter_of(installed, parts)
    assert told["version"].startswith("3.8.")
    assert told["missing"] == []
    assert told["requirements"] == str(parts / "requirements.txt")
    versions = (
        "import importlib.metadata as m, json; names = {d.metadata['Name'].lower() for d in m.distributions()};"
        "print(json.dumps([m.version('numpy'), m.version('onnxruntime'), m.version('code-loader'), sorted(names)]))"
    )
    listed = subprocess.run([python, "-c", versions], capture_output=True, text=True, check=True)
    numpy, onnxruntime, code_loader, names = json.loads(listed.stdout)
    assert (numpy, onnxruntime) == ("1.24.4", "1.19.2")
    assert tuple(map(int, code_loader.split(".")[:3])) >= (1, 0, 214)  # in place of the pinned 1.0.90
    assert "tqdm" in names  # imported, and required by nothing
    assert not {"leaplab", "msgspec", "onnx", "fastapi", "duckdb"} & set(names)

    checked = installed.json("check", parts, code=None)
    assert checked["samples"] >= 12
    assert {finding["rule"] for finding in checked["findings"] if finding["severity"] == "error"} <= {"C13"}

    sample = installed.json("sample", "validation", "SN-012/B", parts, "--out", tmp_path / "pictures")
    assert sample["scores"]["metric.hit"] in (0, 1)
    assert Path(sample["visualizers"]["found"]).read_bytes().startswith(b"\x89PNG")

    installed.run("bundle", parts, "--out", tmp_path / "bundle.tar.gz", code=None)
    assert (tmp_path / "bundle.tar.gz").stat().st_size > 500

    said = installed.run("evaluate", parts, "--runs", tmp_path / "runs", "--batch-size", "1").stderr
    assert f"Python {told['version']}, {python}" in said
    run = tmp_path / "runs" / "parts"
    rows, predictions, vectors = directly(
        python, parts, "leap_binder.py", parts / "model" / "parts.onnx", parts / "features.onnx"
    )
    assert same_rows(stored(run), rows) == []
    np.testing.assert_array_equal(arrays(run, "predictions", "defect"), predictions)
    np.testing.assert_array_equal(arrays(run, "latent", "model"), vectors)
    assert confusion_of(run) == [element for row in rows for element in row.get("metric.confusion", [])]
    assert json.loads((run / "manifest.json").read_text())["interpreter"] == {
        "executable": str(python),
        "version": told["version"],
    }

    with explored(installed, run) as address:
        assert "<script" in fetched(address, "")
        assert fetched(address, "api/v1/run")["samples"] == len(rows) == 23
        shown = fetched(address, "api/v1/samples/3/visuals")["visuals"]
    assert [visual["name"] for visual in shown] == ["found", "bars"]
    assert all(visual["png"].startswith("data:image/png;base64,") for visual in shown)


@pytest.mark.python("3.10")
def test_integration_of_python_3_10_and_keras_2(
    installed: Installed, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    houses = tmp_path_factory.mktemp("houses")
    shutil.copytree(HERE / "keras2", houses, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    python, told = interpreter_of(installed, houses)
    assert told["version"].startswith("3.10.")
    assert told["missing"] == []
    subprocess.run([python, houses / "make_model.py", houses / "house.h5"], check=True, capture_output=True)

    checked = installed.json("check", houses, code=None)
    assert checked["samples"] >= 8
    assert {finding["rule"] for finding in checked["findings"] if finding["severity"] == "error"} == set()

    sample = installed.json("sample", "training", "h4", houses, "--out", tmp_path / "pictures")
    assert Path(sample["visualizers"]["told"]).read_bytes().startswith(b"\x89PNG")

    installed.run("bundle", houses, "--out", tmp_path / "bundle.tar.gz")

    installed.run("evaluate", houses, "--runs", tmp_path / "runs")
    run = tmp_path / "runs" / "house"
    manifest = json.loads((run / "manifest.json").read_text())
    assert (manifest["model_format"], manifest["latent_source"]) == ("keras", "hidden")
    rows, predictions, vectors = directly(python, houses, "leap_integration.py", houses / "house.h5", "hidden")
    assert same_rows(stored(run), rows, tolerance=1e-5) == []
    np.testing.assert_allclose(arrays(run, "predictions", "price"), predictions, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(arrays(run, "latent", "model"), vectors, rtol=1e-5, atol=1e-6)

    with explored(installed, run) as address:
        assert fetched(address, "api/v1/run")["samples"] == len(rows) == 14
        (shown,) = fetched(address, "api/v1/samples/13/visuals")["visuals"]
    assert shown["png"].startswith("data:image/png;base64,")


def same_rows(found: list[dict[str, Any]], wanted: list[dict[str, Any]], tolerance: float = 0.0) -> list[Any]:
    """Cells that are not the same; a run keeps declared integers, which LeapLoader turns into floats."""
    assert [(row["state"], row["sample_id"]) for row in found] == [(row["state"], row["sample_id"]) for row in wanted]
    differing = []
    for row, expected in zip(found, wanted, strict=True):
        columns = {column for column, value in expected.items() if not isinstance(value, list)}
        row = {column: value for column, value in row.items() if not column.startswith("input.")}
        assert columns <= row.keys()
        assert all(row[column] is None for column in row.keys() - columns)
        for column in columns:
            value, one = row[column], expected[column]
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (value == pytest.approx(one, rel=tolerance, abs=tolerance) if is_number else value == one):
                differing.append((row["sample_id"], column, value, one))
    return differing


def confusion_of(run: Path) -> list[list[Any]]:
    with duckdb.connect() as connection:
        files = sorted(map(str, (run / "confusion" / "metric.confusion").glob("*.parquet")))
        query = "SELECT label, expected, probability FROM read_parquet(?)"
        return [list(row) for file in files for row in connection.execute(query, [file]).fetchall()]
