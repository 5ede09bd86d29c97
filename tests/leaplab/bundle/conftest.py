"""A small integration, and its bundle proven."""

from collections.abc import Callable
from pathlib import Path

import pytest

from leaplab.bundle.archive import write_archive
from leaplab.bundle.listing import list_bundle
from leaplab.bundle.proof import Proof, prove
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


@pytest.fixture
def proven(packed: Callable[[Path], tuple[Path, Project]]) -> Callable[..., Proof]:
    """`proven(root)`: the proof of an integration's bundle."""

    def proof(root: Path, **options: float) -> Proof:
        archive, project = packed(root)
        return prove(archive, project, **options)

    return proof
