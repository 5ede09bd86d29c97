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
    BRIGHTNESS_CODE,
    CONFIDENCE_CODE,
    INSTANCES,
    LEAP_YAML,
    NUMBER_CODE,
    PLOTS,
    REQUIREMENTS,
    SIMULATION,
    Fault,
    Variant,
    at_import,
    files,
    imported,
    included,
    instead,
    old_style,
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
    Variant("plots of code-loader", PLOTS),
    Variant(
        "a switch of settings",
        instead("    metric_accuracy(", "    if SETTINGS['seed'] >= 0:\n        metric_accuracy("),
    ),
    Variant(
        "an init file that does nothing left out",
        (*at_import("from scales import names"), *included("- scales/names.py")),
        files({"scales/__init__.py": '"""Scales."""\n', "scales/names.py": "NAMES = ['metres']\n"}),
    ),
    Variant(
        "a module of a namespace package",
        (*at_import("import mnist.names"), *included("- mnist/**")),
        files({"mnist/names.py": "NAMES = ['zero']\n"}),
    ),
    Variant("text that is a number", instead(BRIGHTNESS_CODE, "    return str(brightness or 0.5)\n")),
    Variant("a handler of another file under another name", included("- encoders.py"), _handler_of_another_file),
)
LACKING = (
    (
        Variant("a distribution that is not installed", ((REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnowhere~=1.0"),)),
        "What it does with nowhere~=1.0 was not tried: leaplab's own environment lacks that; make one of its own by",
    ),
    (
        Variant(
            "one that is imported, under another name",
            (
                (REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnowhere~=1.0\nnumpy<1"),
                *at_import("from its_modules import deeper"),
            ),
        ),
        "The integration could not be bound: leaplab's own environment lacks nowhere~=1.0, numpy<1; make one of its",
    ),
    *(
        (
            Variant(
                f"one that {who} imports",
                (
                    (REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnowhere~=1.0"),
                    *instead(code, f"    import nowhere\n{code}"),
                ),
            ),
            says,
        )
        for who, code, says in (
            ("a handler", BRIGHTNESS_CODE, "What it does with nowhere~=1.0 was not tried"),
            ("preprocess", "    training = samples.draw(", "The integration could not be bound: leaplab's own"),
        )
    ),
    (
        Variant("another version than is installed", ((REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnumpy==1.26.4"),)),
        "What it does with numpy==1.26.4 was not tried",
    ),
    (Variant("a batch of one", model={"batch": 1}), "The model was tried on batches of 1 alone, which is fixed in it."),
)
LACKING_MODEL = Variant(
    "a model that needs one",
    (
        (REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnowhere~=1.0"),
        *instead("    import onnxruntime\n", "    import nowhere\n    import onnxruntime\n"),
    ),
)
UNTRIED = (
    (
        Variant("a model that does not load", instead('"tiny.onnx"', '"absent.onnx"')),
        {"C70"},
        "Predictions, losses, metrics and visualizers were not tried: there is no model that runs.",
    ),
    (
        Variant("an import that fails", at_import("raise RuntimeError('no licence')")),
        {"C40"},
        "No handler was tried on samples: the entry file cannot be bound.",
    ),
    (
        Variant("an older style", prepare=old_style()),
        {"C30"},
        "The model, losses, metrics and visualizers were not tried: neither an integration test nor --wiring FILE tells"
        " which prediction, ground truth and input feeds them.",
    ),
    (
        Variant("no entry file", ((LEAP_YAML, ": leap_binder.py", ": missing.py"),)),
        {"C02"},
        "Nothing of the integration was run: there is no entry file to bind.",
    ),
)
OLD_FAULTS = Variant(
    "faults in the older style",
    prepare=old_style(
        "    return response.data[sample_id].number\n", "    return ([0] * 24)[response.data[sample_id].number]\n"
    ),
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


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.rule == "C13"], ids=str)
def test_a_distribution_that_is_missing_is_told_of_once(fault: Fault, checked: Checked) -> None:
    _, report = checked(fault)
    assert len(report.findings) == 1, report.findings


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
    assert report.not_tried == ()
    assert report.samples >= 8


@pytest.mark.parametrize(("variant", "says"), LACKING, ids=str)
def test_what_could_not_be_tried_here_is_no_finding(variant: Variant, says: str, checked: Checked) -> None:
    _, report = checked(variant)
    assert report.findings == ()
    (sentence,) = report.not_tried
    assert sentence.startswith(says)
    assert report.as_json()["not_tried"] == [sentence]


@pytest.mark.parametrize("variant", [LACKING_MODEL], ids=str)
def test_a_model_whose_library_is_lacking_is_no_finding(variant: Variant, checked: Checked) -> None:
    _, report = checked(variant)
    assert report.findings == ()
    lacking, model = report.not_tried
    assert lacking.startswith("What it does with nowhere~=1.0 was not tried")
    assert model.startswith("Predictions, losses, metrics and visualizers were not tried: there is no model that runs")
    assert report.samples >= 8


@pytest.mark.parametrize(("variant", "rules", "says"), UNTRIED, ids=str)
def test_what_a_fault_keeps_from_being_tried_is_told(
    variant: Variant, rules: set[str], says: str, checked: Checked
) -> None:
    _, report = checked(variant)
    assert {finding.rule for finding in report.findings} == rules
    assert report.not_tried == (says,)


@pytest.mark.parametrize("variant", [OLD_FAULTS], ids=str)
def test_handlers_without_decorators_are_tried(variant: Variant, checked: Checked) -> None:
    root, report = checked(variant)
    lines = (root / BINDER).read_text(encoding="utf-8").splitlines()
    raising = next(number for number, line in enumerate(lines, start=1) if "[0] * 24" in line)
    assert [(finding.rule, finding.place) for finding in report.findings] == [
        ("C30", BINDER),
        ("C54", f"{BINDER}:{raising}"),
    ]
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
