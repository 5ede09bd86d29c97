"""Every folder of the shared cases gives the findings that are listed here, and none besides."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leaplab.check.report import check

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
NO_INTEGRATIONS = {"labels"}
EXPECTED: dict[str, list[str]] = {
    "base": [],
    "google_namespace": [],
    "ids_duplicate": ["C51", "C51"],
    "ids_numpy": ["C97", "C97"],
    "ids_odd": [],
    "init_not_included": [],
    "metadata_boolean_text": ["C95"],
    "missing_but_required": [],
    "names_slash": [],
    "namespace_mnist": [],
    "nan_outputs": ["C74"],
    "notices_drowned": ["C42"],
    "official_visualize": [],
    "old_api": ["C22", "C22", "C23", "C30", "C47"],
    "other_versions": [],
    "states_tiny": ["C65"],
    "timestamps_ns": ["C96"],
    "workers": ["C54"],
    # What these give depends on how leaplab reads their models.
    "keras_savedmodel": ["C49"],
    "keras_subclass": [],
    "lfs_pointer": ["C70"],
    "lstm_head": [],
    "onnx_2gb": [],
    "onnx_int8": [],
    "onnx_nms_output": ["C38", "C73"],
    "onnx_quantized": [],
    "session_options": [],
}
"""Case -> the rules of its findings."""
NOT_TRIED = {
    "google_namespace": "The integration could not be bound: leaplab's own environment lacks google-cloud-storage~=3.1",
    "lfs_pointer": "Predictions, losses, metrics and visualizers were not tried: there is no model that runs.",
    "missing_but_required": "The integration could not be bound: leaplab's own environment lacks pandas~=2.2; make one",
    "old_api": "The model, losses, metrics and visualizers were not tried: neither an integration test nor",
    "onnx_nms_output": "The model was tried on batches of 1 alone, which is fixed in it.",
    "other_versions": "What it does with numpy==1.26.4, onnxruntime==1.19.2 was not tried: leaplab's own environment",
    "session_options": "The model was tried on batches of 1 alone, which is fixed in it.",
    "states_tiny": "No handler was tried on samples: code-loader calls the integration invalid.",
    "workers": "No handler was tried on samples: code-loader calls the integration invalid.",
}
"""Case -> how the one sentence begins that says what could not be tried."""

pytestmark = pytest.mark.real_data(str(CASES))


@pytest.mark.parametrize("case", EXPECTED)
def test_a_case_gives_its_findings_and_none_besides(case: str, tmp_path: Path) -> None:
    root = tmp_path / case
    shutil.copytree(CASES / case, root)
    if (root / "make_model.py").exists():  # a model that is too large to be kept, in a sparse file
        root.chmod(0o755)
        subprocess.run([sys.executable, root / "make_model.py"], check=True)

    report = check(root)

    told = [f"{finding.rule} {finding.place}: {finding.sentence}" for finding in report.findings]
    assert [finding.rule for finding in report.findings] == EXPECTED[case], told
    assert len(report.not_tried) == int(case in NOT_TRIED), report.not_tried
    assert all(sentence.startswith(NOT_TRIED[case]) for sentence in report.not_tried), report.not_tried


def test_every_case_is_listed() -> None:
    found = {folder.name for folder in CASES.iterdir() if folder.is_dir()}
    assert found == set(EXPECTED) | NO_INTEGRATIONS
