"""The history of a training: what trainers write, and what is wrong with a file."""

import csv
from pathlib import Path

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.store.history import History, keep_history, read_history

OURS = "step,epoch,state,metric,value\n25,1,training,loss,0.9\n50,2,held out,loss,nan\n,3,training,top 5,-1e-3\n"
KERAS = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.25,0.4,1.5\n1,0.75,0.5,0.625,\n"
LIGHTNING = "epoch,step,train_loss,val_loss,lr\n0,49,0.7,,\n0,99,,0.8,\n1,149,0.6,,0.001\n"
ULTRALYTICS = (
    "                  epoch,         time,  train/box_loss, metrics/mAP50(B),  val/box_loss,     lr/pg0\n"
    "                      1,          3.5,           1.5,             0.25,          1.75,     0.01\n"
)


def rows(history: History) -> list[tuple[float, float, str, str, float]]:
    return list(zip(history.step, history.epoch, history.state, history.metric, history.value, strict=True))


def read(folder: Path, text: str) -> History:
    path = folder / "some.csv"
    path.write_text(text, encoding="utf-8")
    return read_history(path)


NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            OURS,
            [
                (25, 1, "training", "loss", 0.9),
                (50, 2, "held out", "loss", NAN),
                (NAN, 3, "training", "top 5", -0.001),
            ],
        ),
        (
            KERAS,
            [
                *((NAN, 0, "training", "accuracy", 0.5), (NAN, 0, "training", "loss", 1.25)),
                *((NAN, 0, "validation", "accuracy", 0.4), (NAN, 0, "validation", "loss", 1.5)),
                *((NAN, 1, "training", "accuracy", 0.75), (NAN, 1, "training", "loss", 0.5)),
                (NAN, 1, "validation", "accuracy", 0.625),
            ],
        ),
        (
            LIGHTNING,
            [
                *((49, 0, "training", "loss", 0.7), (99, 0, "validation", "loss", 0.8)),
                *((149, 1, "training", "loss", 0.6), (149, 1, "training", "lr", 0.001)),
            ],
        ),
        (
            ULTRALYTICS,
            [
                (NAN, 1, "training", "box_loss", 1.5),
                (NAN, 1, "validation", "mAP50(B)", 0.25),
                (NAN, 1, "validation", "box_loss", 1.75),
                (NAN, 1, "training", "lr/pg0", 0.01),
            ],
        ),
    ],
)
def test_what_trainers_write_is_read_and_kept_in_one_form(
    tmp_path: Path, text: str, wanted: list[tuple[float, float, str, str, float]]
) -> None:
    history = read(tmp_path, text)
    np.testing.assert_equal(rows(history), wanted)

    (tmp_path / "run").mkdir()
    keep_history(tmp_path / "run", history)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["history.csv"]
    np.testing.assert_equal(rows(read_history(tmp_path / "run" / "history.csv")), wanted)
    with (tmp_path / "run" / "history.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["step", "epoch", "state", "metric", "value"]


@pytest.mark.parametrize("name", ["armbench_yolo_seg", "cifar10_resnet_18", "mnist_cnn", "yolov7_tiny_foresight"])
def test_the_histories_of_the_examples_are_read_whole(name: str) -> None:
    path = Path(__file__).parents[3] / "models" / f"{name}.history.csv"
    with path.open(newline="") as file:
        wanted = [
            (float(row["step"]), float(row["epoch"]), row["state"], row["metric"], float(row["value"]))
            for row in csv.DictReader(file)
        ]

    assert rows(read_history(path)) == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"is no history of a training; its columns are to be step, epoch, state, metric, value"),
        ("a,b\n1,2\n", r"is no history of a training"),
        ("step,epoch,state,metric,value\n", r"holds no value"),
        ("epoch,loss\n1,\n", r"holds no value"),
        ("step,epoch,state,metric,value\n1,1,training,loss\n", r"line 2, has 4 values for 5 columns; mend it"),
        ("step,epoch,state,metric,value\n1,1,training,loss,low\n", r"line 2, says 'low' for value, which is no number"),
        ("step,epoch,state,metric,value\n1,1,,loss,1\n", r"line 2, has no state"),
        ("step,epoch,state,metric,value\n1,1,training,,1\n", r"line 2, has no metric"),
        ("step,epoch,state,metric,value\n\n,,training,loss,1\n", r"line 3, has neither a step nor an epoch"),
        ("step,epoch,state,metric,value\ninf,1,training,loss,1\n", r"line 2, has neither a step nor an epoch"),
        ("epoch,loss,loss\n1,2,3\n", r"has a column twice"),
        ('epoch,loss\n1,"2\n', r"line 2"),
        ("epoch,loss\n1,\x00\n", r"line 2"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(LeaplabError, match=told) as caught:
        read(tmp_path, text)
    assert "some.csv" in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LeaplabError, match="cannot be read .No such file"):
        read_history(tmp_path / "none.csv")
    with pytest.raises(LeaplabError, match="cannot be read .Is a directory"):
        read_history(tmp_path)
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(LeaplabError, match="cannot be read .it is no UTF-8 text"):
        read_history(tmp_path / "picture.csv")


def test_what_spreadsheets_write_before_a_text_is_no_part_of_it(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "\ufeffepoch,loss\r\n1,2\r\n")) == rows(read(tmp_path, "epoch,loss\n1,2\n"))
