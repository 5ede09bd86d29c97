"""Variants of the integration `good`: what may be changed in it, and by which words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

BINDER, LEAP_YAML, SAMPLES = "leap_binder.py", "leap.yaml", "samples.py"
REQUIREMENTS = "tensorleap_requirements.txt"
Changes = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Variant:
    """A change of the integration `good`.

    Attributes:
        what: is done, in a word or two.
        changes: (file, old, new).
        prepare: whatever else is done to the folder.
        model: of the model that is written, see `tiny_model`.
        time_limit: for each process.
        origin: of the interpreter: leaplab's own, or the integration's, as `--python` names it.
    """

    what: str
    changes: Changes = ()
    prepare: Callable[[Path], None] | None = None
    model: dict[str, Any] = field(default_factory=dict)
    time_limit: float = 120
    origin: Literal["own", "option"] = "own"

    def __str__(self) -> str:
        return self.what.replace(" ", "-")


@dataclass(frozen=True)
class Fault(Variant):
    """A fault, and the one finding that it gives.

    Attributes:
        rule: its number.
        place: of the finding: a file, or a file and a piece of the line, as it reads after the change.
        says: a part of the sentence.
    """

    rule: str = ""
    place: tuple[str, str] | str = ""
    says: str = ""

    def __str__(self) -> str:
        return f"{self.rule}-{super().__str__()}"


def fault(
    rule: str,
    what: str,
    place: tuple[str, str] | str,
    says: str,
    changes: Changes = (),
    prepare: Callable[[Path], None] | None = None,
    model: dict[str, Any] | None = None,
    time_limit: float = 120,
    origin: Literal["own", "option"] = "own",
) -> Fault:
    """A fault, in the order in which one reads it."""
    return Fault(what, changes, prepare, model or {}, time_limit, origin, rule, place, says)


def at_import(text: str) -> Changes:
    """Lines that run while the entry file is bound."""
    return ((BINDER, "\n\n@tensorleap_preprocess()", f"\n{text}\n\n\n@tensorleap_preprocess()"),)


def instead(old: str, new: str) -> Changes:
    """Other text in the entry file."""
    return ((BINDER, old, new),)


def imported(name: str) -> Changes:
    """One more decorator of code-loader."""
    return instead("    tensorleap_preprocess,\n)", f"    tensorleap_preprocess,\n    {name},\n)")


def included(line: str) -> Changes:
    """One more line at the end of include."""
    return ((LEAP_YAML, f"- {REQUIREMENTS}\n", f"- {REQUIREMENTS}\n{line}\n"),)


def files(contents: dict[str, str]) -> Callable[[Path], None]:
    """Files by their path."""

    def write(root: Path) -> None:
        for name, content in contents.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")

    return write


def old_style(old: str = "", new: str = "") -> Callable[[Path], None]:
    """An integration as they were before there were decorators, with other text in its entry file."""

    def write(root: Path) -> None:
        (root / BINDER).write_text(OLD_STYLE.replace(old, new, 1), encoding="utf-8")
        with (root / SAMPLES).open("a", encoding="utf-8") as file:
            file.write(OLD_SAMPLES)

    return write


IMAGE_CODE = "    image: NDArray[np.float32] = response.data[sample_id].image\n    return image"
BIAS_CODE = "    bias: NDArray[np.float32] = response.data[sample_id].bias\n    return bias"
CLASSES_CODE = "    return classes"
NUMBER_CODE = "    return number\n"
BRIGHTNESS_CODE = "    return brightness\n"
PEAK_CODE = "    return peak\n"
ROWS_CODE = "    return rows\n"
LOSS_CODE = "    return np.asarray(-np.log(np.maximum(chosen, 1e-7)), np.float32)"
CONFIDENCE_CODE = "    return np.asarray(guess.max(axis=1), np.float32)"
PICTURE_CODE = "    return LeapImage((image[0].clip(0, 1) * 255).astype(np.uint8))"
VALIDATION = "PreprocessResponse(sample_ids=list(validation), data=validation, state=DataStateType.validation)"
RUN = "{model.get_inputs()[0].name: image, model.get_inputs()[1].name: bias}"
RUN_IMAGE = "{model.get_inputs()[0].name: image}"
SECRET = "AKIA" + "Z7QK2M5XW9RT4B6N"
HOME = "/home" + "/anna"

SIMULATION = """

@tensorleap_simulation("more", {"shade": {"type": "float", "bounds": {"min": 0.0, "max": 1.0}}})
def simulate(shade: float, N: int, seed: int) -> PreprocessResponse:
    drawn = list(samples.draw("more", N, seed).values())
    return PreprocessResponse(sample_ids=list(range(N)), sample_id_type=int, data=dict(enumerate(drawn)))


@tensorleap_integration_test()"""

MASK_CODE = "    mask = np.array(sample.image[:, :, 0] > 0.5 - 0.1 * number, np.float32)\n"
OVERLAP_CODE = """    shares = (image[..., 0] > 0.5).mean(axis=(1, 2), dtype=np.float32)
    return {0: shares, 1: shares / 2}
"""
INSTANCES: Changes = (
    *instead("    tensorleap_preprocess,\n)", "    tensorleap_custom_instances_metric,\n"
             "    tensorleap_element_instance_preprocess,\n    tensorleap_instances_length_encoder,\n"
             "    tensorleap_instances_masks_encoder,\n)"),
    *instead("import PredictionTypeHandler", "import ElementInstance, PredictionTypeHandler"),
    *instead("@tensorleap_preprocess()\n", f'''@tensorleap_instances_length_encoder("bright parts")
def count_parts(sample_id: str, response: PreprocessResponse) -> int:
    return int(response.data[sample_id].number % 4)


@tensorleap_instances_masks_encoder("parts")
def encode_part(sample_id: str, response: PreprocessResponse, number: int) -> ElementInstance | None:
    sample = response.data[sample_id]
{MASK_CODE}    metadata = {{"threshold": number, "shade": "bright" if number else None}}
    return ElementInstance(f"part {{number}}", mask, metadata)


@tensorleap_element_instance_preprocess(
    count_parts, encode_part, {{"threshold": DatasetMetadataType.int, "shade": DatasetMetadataType.string}}
)
'''),
    *instead("\n\n@tensorleap_custom_visualizer(\"picture\"", f'''

@tensorleap_custom_instances_metric("overlap", direction=MetricDirection.Upward, compute_insights=True)
def metric_overlap(image: NDArray[np.float32]) -> dict[int, NDArray[np.float32]]:
{OVERLAP_CODE}

@tensorleap_custom_visualizer("picture"'''),
    *instead("    metric_accuracy(classes, guess)\n",
             "    metric_accuracy(classes, guess)\n    metric_overlap(image)\n"),
)  # fmt: skip
"""Element instances: the bright parts of an image, and a metric of them."""

PLOTS: Changes = (
    *instead("from numpy.typing import NDArray", "from code_loader.plot_functions.visualize import visualize as show\n"
             "from numpy.typing import NDArray\n\nPLOT = True"),
    *instead("    visualize_picture(image)\n    visualize_probabilities(guess, classes)\n",
             "    drawn = True\n    picture = visualize_picture(image)\n"
             "    bars = visualize_probabilities(guess, classes)\n"
             "    show(picture, 'a picture')\n    if PLOT:\n        show(bars)\n        print('drawn', drawn)\n"
             "    if drawn and not __name__ == '__main__':\n        show(picture)\n"
             "    if str(HERE).startswith('/'):\n        show(bars)\n"),
)  # fmt: skip
"""code-loader's own `visualize`, also behind switches: the pass that reads the wiring skips it."""

OLD_STYLE = """\
import numpy as np
import samples
from code_loader import leap_binder
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType


def subsets():
    drawn = {state: samples.draw(state, 25, 0) for state in ("training", "validation")}
    return [
        PreprocessResponse(sample_ids=list(found), data=found, state=DataStateType[state])
        for state, found in drawn.items()
    ]


def image(sample_id, response):
    return response.data[sample_id].image


def number(sample_id, response):
    return response.data[sample_id].number


leap_binder.set_preprocess(subsets)
leap_binder.set_input(image, "photo")
leap_binder.set_ground_truth(function=samples.truth, name="classes")
leap_binder.set_metadata(number, "count", DatasetMetadataType.int)
"""
OLD_SAMPLES = "\n\ndef truth(sample_id, response):\n    return one_hot(response.data[sample_id])\n"

FALSE_POSITIVES = """

@tensorleap_false_positive_instances_encoder("spurious")
def spurious(sample_id: str, response: PreprocessResponse, predictions: dict[str, Any]) -> list[Any]:
    return []


@tensorleap_false_positive_empty_gt("classes")
def no_class(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
    return np.zeros(3, np.float32)
"""
