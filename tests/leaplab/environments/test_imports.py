import pytest

from leaplab.environments.imports import distribution_of, read_imports


@pytest.fixture
def imports(root):
    """`imports({file: text})`: module -> the file that imports it."""

    def read(files):
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return read_imports(root).modules

    return read


def test_modules_are_read_along_the_entry_file_s_own_imports(imports):
    found = imports(
        {
            "leap.yaml": "entryFile: code/binder.py\n",
            "code/binder.py": "import cv2, os.path\nfrom data.load import x\nfrom near import y\n",
            "code/near.py": "import skimage.io as io\n",
            "data/__init__.py": "import yaml\n",
            "data/load.py": "from . import more\nfrom .deep.down import z\n",
            "data/more.py": "def f():\n    import tqdm\n",
            "data/deep/down.py": "from sklearn.metrics import auc\nfrom ..again import q\n",
            "data/again.py": "import pandas\n",
            "train.py": "import wandb\n",
            "tests/test_it.py": "import hypothesis\n",
        }
    )

    assert found == {
        "cv2": "code/binder.py",
        "skimage": "code/near.py",
        "yaml": "data/__init__.py",
        "tqdm": "data/more.py",
        "sklearn": "data/deep/down.py",
        "pandas": "data/again.py",
    }


def test_a_folder_without_an_entry_file_is_read_whole_but_not_its_environments(imports):
    found = imports(
        {
            "train.py": "import wandb\n",
            "env/pyvenv.cfg": "",
            "env/lib/x.py": "import six\n",
            ".git/x.py": "import six\n",
            "node_modules/x.py": "import six\n",
        }
    )

    assert found == {"wandb": "train.py"}


def test_what_the_code_can_do_without_is_passed_over(imports):
    found = imports(
        {
            "leap_binder.py": """
from __future__ import annotations
import typing, distutils.util
try:
    import wandb
except ImportError:
    wandb = None
try:
    import comet
except (ModuleNotFoundError, OSError):
    pass
try:
    import clearml
except:
    clearml = None
try:
    import torch
    print(torch.__version__)
except Exception as error:
    print(error)
try:
    import numpy
finally:
    pass
if typing.TYPE_CHECKING:
    import stubs_only
else:
    import scipy
if __name__ == "__main__":
    import click
"""
        }
    )

    assert list(found) == ["torch", "numpy", "scipy"]


def test_a_folder_s_own_modules_are_none_of_others(imports):
    found = imports(
        {
            "leap_binder.py": "import yolo.model, lib_of_ours, torch\n",
            "third_party/yolo/model.py": "import einops\n",  # found by a path that the code extends
            "src/lib_of_ours.py": "",
            "exporters/torch.py": "import onnx\n",  # no module of the name torch
        }
    )

    assert set(found) == {"torch", "einops"}


def test_modules_of_shared_names_are_told_apart(imports):
    found = imports(
        {"leap_binder.py": "from google.cloud import storage\nimport google.protobuf.message\nimport google\n"}
    )

    assert list(found) == ["google.cloud.storage", "google.protobuf"]
    assert [distribution_of(module) for module in found] == ["google-cloud-storage", "protobuf"]


def test_a_file_that_cannot_be_parsed_is_told(root, imports):
    imports({"leap_binder.py": "import tqdm, broken\n", "broken.py": "print 'python 2'\n"})

    read = read_imports(root)

    assert read.modules == {"tqdm": "leap_binder.py"}
    (note,) = read.notes
    assert note.startswith("broken.py cannot be read (Missing parentheses")


@pytest.mark.parametrize(
    ("module", "distribution"),
    [("cv2", "opencv-python"), ("PIL", "pillow"), ("yaml", "pyyaml"), ("sklearn", "scikit-learn"), ("other", "other")],
)
def test_distributions_of_modules(module, distribution):
    assert distribution_of(module) == distribution
