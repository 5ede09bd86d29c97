"""Each fault gives exactly its finding, at its place; integrations without a fault give none."""

from collections.abc import Callable
from pathlib import Path

import pytest

import leaplab.check.rules  # noqa: F401 - fills the catalogue
from leaplab.check.catalogue import CATALOGUE
from leaplab.check.report import Report, check
from tests.leaplab.check.faults import FAULTS
from tests.leaplab.check.variants import (
    BIAS_CODE,
    BINDER,
    CONFIDENCE_CODE,
    INSTANCES,
    NUMBER_CODE,
    SIMULATION,
    Fault,
    Variant,
    at_import,
    imported,
    included,
    instead,
)

ROOT = Path(__file__).resolve().parents[3]
Checked = Callable[[Variant], tuple[Path, Report]]


def _handler_of_another_file(root: Path) -> None:
    head = '@tensorleap_input_encoder("bias", channel_dim=-1)\n'
    signature = "def encode_bias(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:\n"
    handler = f"{head}{signature}{BIAS_CODE}\n"
    binder = (root / BINDER).read_text(encoding="utf-8")
    assert handler in binder
    binder = binder.replace(handler, "from encoders import encode_bias as encode\n")
    (root / BINDER).write_text(binder.replace("bias = encode_bias(", "bias = encode("), encoding="utf-8")
    (root / "encoders.py").write_text(
        "import numpy as np\n"
        "from code_loader.contract.datasetclasses import PreprocessResponse\n"
        "from code_loader.inner_leap_binder.leapbinder_decorators import tensorleap_input_encoder\n"
        f"from numpy.typing import NDArray\n\n\n{handler}",
        encoding="utf-8",
    )


GOOD = (
    Variant("as it is"),
    Variant(
        "a simulation",
        (*imported("tensorleap_simulation"), *instead("\n\n@tensorleap_integration_test()", SIMULATION)),
    ),
    Variant(
        "unlabeled samples",
        instead(
            "state=DataStateType.validation),\n    ]",
            "state=DataStateType.validation),\n"
            "        PreprocessResponse(sample_ids=['new-0'], data={'new-0': training['training-00']},"
            " state=DataStateType.unlabeled),\n    ]",
        ),
    ),
    Variant("minus one among other numbers", instead(NUMBER_CODE, "    return number % 3 - 1 if number % 2 else -5\n")),
    Variant("a precaution in exclude", included("exclude:\n- '**/__pycache__/**'\n- '**/*.tmp'")),
    Variant(
        "a print in the integration test",
        instead("    guess = outputs[0]\n", "    guess = outputs[0]\n    print('inferred')\n"),
    ),
    Variant("element instances", INSTANCES),
    Variant("a handler of another file under another name", included("- encoders.py"), _handler_of_another_file),
)
DEFAULTS = Variant(
    "everything left to defaults",
    (
        *instead('"accuracy", direction=MetricDirection.Upward, ', '"accuracy", '),
        *instead('"image", channel_dim=-1', '"image"'),
        *instead(", state=DataStateType.training", ""),
        *instead(", state=DataStateType.validation", ""),
        *instead(
            '@tensorleap_load_model([PredictionTypeHandler(name="classes", labels=LABELS, channel_dim=-1)])',
            "@tensorleap_load_model()",
        ),
    ),
)
THREE_FAULTS = Variant(
    "three faults at once",
    (
        *at_import("print('hello')"),
        *instead(BIAS_CODE, BIAS_CODE + ' / np.float32(0 if sample_id.endswith("-24") else 1)'),
        *instead(CONFIDENCE_CODE, "    return np.full(len(guess), guess.max(axis=1).mean(), np.float32)"),
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_gives_exactly_its_finding(fault: Fault, checked: Checked) -> None:
    root, report = checked(fault)
    told = [f"{finding.rule} {finding.place}: {finding.sentence}" for finding in report.findings]
    assert {finding.rule for finding in report.findings} == {fault.rule}, told
    assert all(finding.severity == CATALOGUE[fault.rule].severity for finding in report.findings)
    found = [finding for finding in report.findings if finding.place == expected_place(fault, root)]
    assert any(fault.says.lower() in finding.sentence.lower() for finding in found), told


def expected_place(fault: Fault, root: Path) -> str:
    if isinstance(fault.place, str):
        return fault.place
    file, piece = fault.place
    lines = (root / file).read_text(encoding="utf-8").splitlines()
    numbers = [number for number, line in enumerate(lines, start=1) if piece in line]
    assert len(numbers) == 1, f"{piece!r} stands in the lines {numbers} of {file}"
    return f"{file}:{numbers[0]}"


def test_every_rule_has_a_fault() -> None:
    assert {fault.rule for fault in FAULTS} == set(CATALOGUE)
    assert len(CATALOGUE) >= 40


def test_faults_have_names_of_their_own() -> None:
    names = [str(fault) for fault in FAULTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("good", GOOD, ids=str)
def test_a_good_integration_gives_no_finding(good: Variant, checked: Checked) -> None:
    _, report = checked(good)
    assert report.findings == ()
    assert report.samples >= 8


@pytest.mark.parametrize("variant", [DEFAULTS], ids=str)
def test_each_parameter_that_is_left_to_a_default_is_told_of(variant: Variant, checked: Checked) -> None:
    _, report = checked(variant)
    assert {finding.rule for finding in report.findings} == {"C47"}
    parameters = {finding.sentence.split("'")[1] for finding in report.findings}
    assert parameters == {"channel_dim", "direction", "prediction_types", "PreprocessResponse.state"}
    assert all(finding.place.startswith(f"{BINDER}:") for finding in report.findings)


@pytest.mark.parametrize("variant", [THREE_FAULTS], ids=str)
def test_one_fault_hides_no_other(variant: Variant, checked: Checked) -> None:
    _, report = checked(variant)
    assert [finding.rule for finding in report.findings] == ["C42", "C57", "C78"]


@pytest.mark.real_data("mnist/mnist.npz")
def test_this_repository_gives_no_finding() -> None:
    report = check(ROOT)
    assert report.findings == ()
    assert report.samples >= 12
