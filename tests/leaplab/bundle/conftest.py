"""A small integration, its bundle proven, and the interpreters that prove it."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leaplab.bundle.archive import write_archive
from leaplab.bundle.listing import list_bundle
from leaplab.bundle.proof import Proof, prove
from leaplab.environments.interpreter import Interpreter
from leaplab.project.leap_yaml import read_leap_yaml
from leaplab.project.locate import Project, find_project

FILES = {
    "leap.yaml": "entryFile: leap_binder.py\ninclude:\n- '*.py'\n- parts/**\n- requirements.txt\n- settings.yaml\n",
    "requirements.txt": "code-loader\nnumpy\npyyaml\n",
    "settings.yaml": "samples: 3\n",
    "parts/__init__.py": "",
    "parts/encoders.py": "import numpy as np\n\n\ndef image(_):\n    return np.full((4, 4, 1), 0.5, np.float32)\n",
    "leap_binder.py": """\
from pathlib import Path

import numpy as np
import yaml
from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DataStateType
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss, tensorleap_gt_encoder, tensorleap_input_encoder, tensorleap_integration_test,
    tensorleap_load_model, tensorleap_preprocess)

from parts import encoders

SAMPLES = yaml.safe_load((Path(__file__).parent / "settings.yaml").read_text())["samples"]


@tensorleap_preprocess()
def preprocess():
    states = DataStateType.training, DataStateType.validation
    return [PreprocessResponse(sample_ids=[str(i) for i in range(SAMPLES)], data={}, state=state) for state in states]


@tensorleap_input_encoder("image", channel_dim=-1)
def image(sample_id, response):
    return encoders.image(sample_id)


@tensorleap_gt_encoder("half")
def half(sample_id, response):
    return np.array([0.25, 0.75], np.float32)


@tensorleap_custom_loss("distance")
def distance(truth, guess):
    return np.abs(truth - guess).mean(axis=1)


@tensorleap_load_model([PredictionTypeHandler("halves", ["left", "right"])])
def load_model():
    raise AssertionError("a check loads no model")


@tensorleap_integration_test()
def integration_test(sample_id, response):
    given, truth, model = image(sample_id, response), half(sample_id, response), load_model()
    distance(truth, model.run(None, {model.get_inputs()[0].name: given})[0])
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An integration whose bundle runs on its own."""
    folder = tmp_path.resolve() / "integration"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def packed(tmp_path: Path) -> Callable[[Path], tuple[Path, Project]]:
    """`packed(root)`: the archive of an integration, and its project."""

    def pack(root: Path) -> tuple[Path, Project]:
        project = find_project(root)
        archive = tmp_path / "bundle.tar.gz"
        write_archive(list_bundle(project, read_leap_yaml(root / "leap.yaml")), root, archive)
        return archive, project

    return pack


@pytest.fixture(scope="session")
def here() -> Interpreter:
    """The interpreter that runs the tests."""
    return interpreter_at(Path(sys.executable))


@pytest.fixture(scope="session")
def python_3_8(python_of: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    """A Python 3.8 with code-loader, numpy 1 and onnxruntime, and nothing of leaplab's."""
    folder = tmp_path_factory.mktemp("python_3_8") / "venv"
    subprocess.run([python_of("3.8"), "-m", "venv", folder], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "numpy==1.24.4", "code-loader", "onnxruntime==1.19.*"], check=True)
    return interpreter_at(folder / "bin" / "python")


@pytest.fixture(scope="session")
def interpreter_of() -> Callable[[Path], Interpreter]:
    """`interpreter_of(executable)`: as `--python` names it."""
    return interpreter_at


@pytest.fixture
def proven(packed: Callable[[Path], tuple[Path, Project]], here: Interpreter) -> Callable[..., Proof]:
    """`proven(root)`: the proof of an integration's bundle."""

    def proof(root: Path, python: Interpreter = here, **options: float) -> Proof:
        archive, project = packed(root)
        return prove(archive, project, python, **options)

    return proof


@pytest.fixture
def wheels(tmp_path: Path) -> list[str]:
    """A folder of tiny wheels: a code-loader of a few lines, and a package that it can be told to need."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    loader = """
import runpy, sys
from types import SimpleNamespace
class LeapLoader:
    def __init__(self, root, entry_file):
        self.entry = f"{root}/{entry_file}"
    def check_dataset(self):
        try:
            runpy.run_path(self.entry)
            error = None
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        return SimpleNamespace(is_valid=error is None, general_error=error, payloads=[])
"""
    for name, version_, module, content in (
        ("code_loader", "9.0", "code_loader/__init__.py", loader),
        ("tiny_package", "1.5", "tiny_package.py", "VALUE = 15\n"),
    ):
        info = f"{name}-{version_}.dist-info"
        with zipfile.ZipFile(folder / f"{name}-{version_}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(module, content)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version_}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return ["--no-index", "--find-links", str(folder)]


def interpreter_at(executable: Path) -> Interpreter:
    script = "import sys; print(*sys.version_info[:3])"
    said = subprocess.run([executable, "-c", script], capture_output=True, text=True, check=True).stdout
    major, minor, micro = map(int, said.split())
    return Interpreter(executable, (major, minor, micro), "option", "a test names it")
