"""Handlers that raise, hang, crash, fork, leak, print without end or exit, at samples that are known."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

FAULTS = """
import ctypes
import os
import sys
import time

FAULTS = {faults!r}
MARK = 0.123456
KEPT = []


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def at(handler, sample_id):
    fault = FAULTS.get(sample_id)
    if fault is None or fault[0] != handler:
        return
    {{
        "raise": lambda: 1 / 0,
        "unspeakable": unspeakable,
        "hang": lambda: time.sleep(1000),
        "spin": spin,
        "segfault": lambda: ctypes.string_at(0),
        "fork": os.fork,
        "leak": lambda: KEPT.append(bytearray(8 * 2**30)),
        "print": lambda: [print("x" * 2**20) for _ in range(1024)],
        "exit": lambda: sys.exit(5),
        "_exit": lambda: os._exit(3),
        "close": lambda: os.closerange(3, 4096),
    }}[fault[1]]()


def unspeakable():
    raise Unspeakable


def spin():
    while True:
        pass


def marked(sample_id, image):
    if sample_id in MARKS:
        image = image.copy()
        image[0, 0, 0] = MARKS[sample_id]
    return image


def in_batch(images):
    for image in images:
        fault = FAULTS.get(f"mark-{{float(image[0, 0, 0]):.2f}}")
        if fault:
            at(fault[0], f"mark-{{float(image[0, 0, 0]):.2f}}")
"""
ENCODERS = {
    "image": ("    image: NDArray[np.float32] = response.data[sample_id].image\n", "input 'image'"),
    "classes": (
        "    classes: NDArray[np.float32] = samples.one_hot(response.data[sample_id])\n",
        "ground truth 'classes'",
    ),
    "label": ("    label: int = response.data[sample_id].label\n", "metadata 'label'"),
}
LOSS = "    result: NDArray[np.float32] = scores.defined_for_some(truth, guess, image)\n"


@pytest.fixture
def misbehaving(
    make_project: Callable[..., Path], changed: Callable[[Path, str, str], None]
) -> Callable[[Mapping[str, tuple[str, str]]], Path]:
    """`misbehaving({"training-03": ("image", "raise")})`: the small integration, with these faults.

    A fault in the loss is that of the samples whose image is marked: `{"training-04": ("loss", ..)}`.
    """

    def make(faults: Mapping[str, tuple[str, str]]) -> Path:
        root = make_project()
        known: dict[str, tuple[str, str]] = {}
        marks: dict[str, float] = {}
        for sample_id, (handler, fault) in faults.items():
            if handler == "loss":
                marks[sample_id] = round(2 + 0.01 * (1 + len(marks)), 2)
                known[f"mark-{marks[sample_id]:.2f}"] = handler, fault
            else:
                known[sample_id] = handler, fault
        (root / "faults.py").write_text(FAULTS.format(faults=known) + f"\nMARKS = {marks!r}\n")
        binder = root / "leap_binder.py"
        changed(binder, "import samples  #", "import faults\nimport samples  #")
        for handler, (line, _) in ENCODERS.items():
            changed(binder, line, f'    faults.at("{handler}", sample_id)\n{line}')
        line = ENCODERS["image"][0]
        changed(binder, line, f"{line}    image = faults.marked(sample_id, image)\n")
        changed(binder, LOSS, f"    faults.in_batch(image)\n{LOSS}")
        return root

    return make


def skipped(told: Mapping[str, Any]) -> dict[str, str]:
    return {each["sample_id"]: each["handler"] for each in told["skipped"]}


def test_a_sample_that_raises_ends_an_evaluation_with_its_name(misbehaving, command, tmp_path):
    finished = command("evaluate", misbehaving({"training-03": ("image", "raise")}), "--runs", tmp_path)

    assert finished.code == 2
    assert "Input 'image' on sample 'training-03' of training: ZeroDivisionError" in " ".join(finished.err.split())


def test_a_loss_that_raises_names_the_sample_and_not_the_batch(misbehaving, command, tmp_path):
    finished = command("evaluate", misbehaving({"training-03": ("loss", "raise")}), "--runs", tmp_path)

    assert finished.code == 2
    said = " ".join(finished.err.split())
    assert "Loss 'defined_for_some' on sample 'training-03' of training: ZeroDivisionError" in said


def test_what_raises_is_skipped_told_and_in_no_mean(misbehaving, command, tmp_path):
    faults = {
        "training-03": ("image", "raise"),
        "training-04": ("label", "unspeakable"),
        "training-07": ("loss", "raise"),
        "validation-02": ("classes", "exit"),
    }
    finished = command("evaluate", misbehaving(faults), "--runs", tmp_path, "--on-error", "skip", "--json")
    assert finished.code == 0, finished.err
    told = json.loads(finished.out)

    assert skipped(told) == {
        "training-03": "input 'image'",
        "training-04": "metadata 'label'",
        "training-07": "loss 'defined_for_some'",
        "validation-02": "ground truth 'classes'",
    }
    reasons = {each["sample_id"]: each["reason"] for each in told["skipped"]}
    assert "ZeroDivisionError: division by zero (faults.py, line " in reasons["training-03"]
    assert "its text cannot be told" in reasons["training-04"]
    assert "it ends its process (sys.exit(5))" in reasons["validation-02"]
    counts = {state: of_state["samples"] for state, of_state in told["states"].items()}
    assert counts == {"training": 25 - 3, "validation": 25 - 1}


def test_the_rows_of_the_others_are_those_of_an_evaluation_without_the_bad_ones(
    misbehaving, tiny_run, command, tmp_path, stored_rows
):
    faults = {"training-03": ("image", "raise"), "training-07": ("loss", "raise")}
    assert command("evaluate", misbehaving(faults), "--runs", tmp_path, "--on-error", "skip").code == 0

    from leaplab.store.run import RunStore

    store = RunStore.open(next(path for path in tmp_path.iterdir() if path.is_dir()))
    wanted = [row for row in stored_rows(tiny_run) if row["sample_id"] not in faults]
    found = stored_rows(store)
    assert [row["sample_id"] for row in found] == [row["sample_id"] for row in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one["loss.cross_entropy"] == pytest.approx(other["loss.cross_entropy"], rel=1e-6)
        assert one["metadata.number"] == other["metadata.number"]
    assert store.row(store.samples - 1)["sample_id"] == wanted[-1]["sample_id"]
    assert len(store.latent("model")) == store.samples == len(wanted)


def test_two_workers_leave_out_what_one_does(misbehaving, command, tmp_path):
    faults = {
        "training-03": ("image", "_exit"),
        "training-07": ("loss", "raise"),
        "training-09": ("label", "hang"),
        "validation-02": ("classes", "segfault"),
        "validation-05": ("image", "raise"),
    }
    root, told = misbehaving(faults), []
    for number in (1, 2):
        options = ("--workers", number, "--on-error", "skip", "--time-limit", 4, "--json")
        finished = command("evaluate", root, "--runs", tmp_path / str(number), *options)
        assert finished.code == 0, finished.err
        told.append(json.loads(finished.out))

    assert set(skipped(told[0])) == set(faults)
    assert told[1]["skipped"] == told[0]["skipped"]
    assert told[1]["states"] == told[0]["states"]
    one, two = (
        {str(file.relative_to(run)): file.read_bytes() for file in run.rglob("*") if file.is_file()}
        for run in (tmp_path / "1" / "tiny", tmp_path / "2" / "tiny")
    )
    assert {**one, "manifest.json": b""} == {**two, "manifest.json": b""}


def test_skipped_samples_are_tried_again_where_none_may_fail(misbehaving, command, tmp_path):
    root = misbehaving({"training-03": ("image", "raise")})
    assert command("evaluate", root, "--runs", tmp_path, "--on-error", "skip").code == 0
    again = command("evaluate", root, "--runs", tmp_path)

    assert again.code == 2
    assert "training-03" in again.err


@pytest.mark.long
def test_an_evaluation_comes_to_its_end_whatever_handlers_do(misbehaving, command, tmp_path):
    faults = {
        "training-01": ("image", "raise"),
        "training-03": ("label", "hang"),
        "training-05": ("classes", "segfault"),
        "training-08": ("image", "fork"),
        "training-11": ("image", "close"),
        "training-13": ("label", "print"),
        "training-17": ("image", "_exit"),
        "training-20": ("loss", "segfault"),
        "training-23": ("image", "leak"),
        "validation-02": ("classes", "exit"),
        "validation-03": ("image", "spin"),
    }
    options = ("--on-error", "skip", "--time-limit", 6, "--memory", 4, "--json")
    finished = command("evaluate", misbehaving(faults), "--runs", tmp_path, *options)

    assert finished.code == 0, finished.err
    told = json.loads(finished.out)
    assert skipped(told) == {
        "training-01": "input 'image'",
        "training-03": "metadata 'label'",
        "training-05": "ground truth 'classes'",
        "training-11": "process",
        "training-17": "input 'image'",
        "training-20": "loss 'defined_for_some'",
        "training-23": "input 'image'",
        "validation-02": "ground truth 'classes'",
        "validation-03": "input 'image'",
    }
    reasons = {each["sample_id"]: each["reason"] for each in told["skipped"]}
    assert "took longer than 6 s" in reasons["training-03"]
    assert "SIGSEGV" in reasons["training-05"]
    assert "exit code 3" in reasons["training-17"]
    assert "ran out of memory" in reasons["training-23"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            ("image", "segfault"),
            "was ended by SIGSEGV in the middle of its work, input 'image' on sample 'training-03'",
        ),
        (("loss", "_exit"), "exit code 3 in the middle of its work, loss 'defined_for_some' on"),
        (("label", "hang"), "metadata 'label' on sample 'training-03' took longer than 2 s"),
    ],
)
def test_a_crash_names_sample_and_handler(misbehaving, command, tmp_path, fault, said):
    finished = command("evaluate", misbehaving({"training-03": fault}), "--runs", tmp_path, "--time-limit", 2)

    assert finished.code == 2
    assert said in " ".join(finished.err.split())
