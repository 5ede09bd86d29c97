"""Element instances from the preprocess to the run, against values computed by hand of the integration `instances`."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.evaluate.summary import summarize
from leaplab.project.locate import find_project
from leaplab.protocol.description import MetadataSpec
from leaplab.protocol.operations import DESCRIBE
from leaplab.session.opening import open_session
from leaplab.store.manifest import ColumnEntry

NAN = math.nan
MODEL: dict[str, Any] = {"inputs": ("image",)}
COLUMNS = (
    *("instance_id", "row", "sample_id", "state", "number", "name", "mask_share"),
    *("metadata.row", "metadata.weight", "metadata.kind", "metric.brightness", "metric.darkest"),
)
# A row of sample `level` has the brightness (level + row) / 16. An element of rows 1 and 2 covers a third of the image.
TABLE = [
    ("a_0", 0, "a", "training", 0, "bolt", 1 / 6, 0, 0.5, "metal", 0.0, 0.0),
    ("a_1", 0, "a", "training", 1, "nut", 2 / 6, 1, None, "metal", 1.5 / 16, 0.0),
    ("a_2", 0, "a", "training", 2, "washer", 3 / 6, 3, 2.0, "rubber", None, 0.0),
    ("a_1_0", 1, "a_1", "training", 0, "strap", 2 / 6, 2, 1.5, None, 3.5 / 16, 1 / 16),
    ("c_c_0", 3, "c_c", "training", 0, "ghost", 0.0, None, None, None, NAN, 3 / 16),
    ("d_0", 4, "d", "training", 0, None, None, None, None, None, NAN, 4 / 16),
    ("d_1", 4, "d", "training", 1, "lid", 1.0, 0, None, None, 6.5 / 16, 4 / 16),
    ("v_0", 6, "v", "validation", 0, "cap", 1 / 6, 5, 3.0, "wood", 11 / 16, 6 / 16),
    ("u_0", 7, "u", "unlabeled", 0, "rag", 1 / 6, 1, 4.0, "cloth", None, 7 / 16),
]
IDS = ["a", "a_1", "b", "c_c", "d", "v_0", "v", "u", "u_0"]


@pytest.fixture(scope="module")
def root(make_project) -> Path:
    made: Path = make_project("instances", **MODEL)
    return made


@pytest.fixture(scope="module")
def session(root):
    with open_session(find_project(root)) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(root, session, evaluated, tmp_path_factory):
    return evaluated(tmp_path_factory.mktemp("runs"), root, session=session)


@pytest.fixture(scope="module")
def stored_instances(stored_rows):
    """The instances of a run as tuples of `COLUMNS`, read without leaplab."""

    def read(store) -> list[tuple]:
        row_of = {(row["state"], row["sample_id"]): place for place, row in enumerate(stored_rows(store))}
        rows = [{**row, "row": row_of[row["state"], row["sample_id"]]} for row in stored_rows(store, "instances")]
        assert all(set(row) == {*COLUMNS, "offset"} for row in rows)
        return [tuple(row[column] for column in COLUMNS) for row in rows]

    return read


def same(found, wanted) -> bool:
    """Type for type; NaN is NaN, and no absent value."""
    if isinstance(wanted, float) and math.isnan(wanted):
        return isinstance(found, float) and math.isnan(found)
    return type(found) is type(wanted) and found == (pytest.approx(wanted) if isinstance(wanted, float) else wanted)


def assert_table(found, wanted=TABLE) -> None:
    assert [row[0] for row in found] == [row[0] for row in wanted]
    for row, expected in zip(found, wanted, strict=True):
        wrong = [column for column, *pair in zip(COLUMNS, row, expected, strict=True) if not same(*pair)]
        assert wrong == [], (row, expected)


def contents(store) -> dict[str, bytes]:
    files = [file for file in store.path.rglob("*") if file.is_file() and file.name != "manifest.json"]
    return {str(file.relative_to(store.path)): file.read_bytes() for file in files}


def test_instances_are_described(session):
    description = session.call(DESCRIBE)

    assert description.states == {"training": 5, "validation": 2, "unlabeled": 2}
    assert description.instances == {"training": 7, "validation": 1, "unlabeled": 1}
    assert description.metadata == (MetadataSpec("level", "int"),)
    assert description.instance_metadata == (
        MetadataSpec("row", "int"), MetadataSpec("weight", "float"), MetadataSpec("kind", "string")
    )  # fmt: skip
    assert [node.column for node in description.metrics] == ["found"]
    told = [(node.column, node.directions, node.insights) for node in description.instance_metrics]
    assert told == [("brightness", {"": "upward"}, {"": True}), ("darkest", {"": "downward"}, {"": False})]
    assert list(description.instance_metrics[0].arguments) == ["image", "elements"]


def test_every_instance_is_a_row_of_what_encoder_and_metrics_say(run, stored_instances):
    assert_table(stored_instances(run))
    assert run.manifest.instances == {"training": 7, "validation": 1, "unlabeled": 1}
    assert run.instance_columns() == {
        "name": ColumnEntry("string"),
        "mask_share": ColumnEntry("float"),
        "metadata.row": ColumnEntry("int"),
        "metadata.weight": ColumnEntry("float"),
        "metadata.kind": ColumnEntry("string"),
        "metric.brightness": ColumnEntry("float", "upward", True),
        "metric.darkest": ColumnEntry("float", "downward", False),
    }


def test_samples_are_whole_and_know_nothing_of_instances(run, stored_rows):
    rows = stored_rows(run)

    assert [row["sample_id"] for row in rows] == IDS
    assert [row["metadata.level"] for row in rows] == list(range(9))
    assert [row["metric.found"] for row in rows if row["state"] != "unlabeled"] == [3, 1, 0, 1, 1, 0, 1]
    own = [name for name in run.columns() if not name.startswith("input.")]
    assert own == ["metadata.level", "loss.squares", "metric.found"]


@pytest.mark.parametrize(("batch_size", "part_size"), [(1, None), (2, 3), (3, 2), (32, 1)])
def test_batches_and_parts_make_no_difference(
    root, session, evaluated, stored_instances, tmp_path, batch_size, part_size
):
    store = evaluated(tmp_path, root, part_size, batch_size=batch_size, session=session)

    assert_table(stored_instances(store))
    assert [[each["instance_id"] for each in store.instances_of(row)] for row in (0, 2, 3, 6)] == [
        ["a_0", "a_1", "a_2"], [], ["c_c_0"], ["v_0"]
    ]  # fmt: skip


class StoppedError(Exception):
    """Ctrl-C, say."""


@pytest.mark.parametrize("parts", [1, 3])
def test_stopped_run_is_resumed_to_the_same_bytes(root, session, evaluated, tmp_path, parts):
    counts: list[int] = []

    def stop(count) -> None:
        counts.append(count)
        if len(counts) == parts:
            raise StoppedError

    whole = evaluated(tmp_path / "whole", root, 2, session=session)
    with pytest.raises(StoppedError):
        evaluated(tmp_path / "stopped", root, 2, stop)
    assert len(list((tmp_path / "stopped" / "tiny" / "samples").iterdir())) == parts
    # A part is marked as whole by its samples: instances of one that is not are written again.
    (tmp_path / "stopped" / "tiny" / "instances" / f"{parts:05d}.parquet").write_bytes(b"half")
    resumed = evaluated(tmp_path / "stopped", root, 2, session=session)

    assert contents(resumed) == contents(whole)
    assert f"instances/{parts:05d}.parquet" in contents(whole)


def test_files_lie_there_before_their_part_counts_as_whole(root, session, evaluated, tmp_path):
    store = evaluated(tmp_path, root, 2, session=session)

    for part in store.manifest.parts:
        whole = (store.path / "parts" / f"{part.number:05d}.json").stat().st_mtime_ns
        files = list(store.path.rglob(f"{part.number:05d}.[np]*"))
        assert len(files) > 3
        assert all(file.stat().st_mtime_ns <= whole for file in files)


def test_chosen_states_and_samples_bring_their_instances(root, session, evaluated, stored_instances, tmp_path):
    store = evaluated(tmp_path, root, states=["unlabeled", "validation"], session=session)

    assert store.manifest.instances == {"unlabeled": 1, "validation": 1}
    rows = [("u_0", 0, *TABLE[8][2:]), ("v_0", 3, *TABLE[7][2:])]
    assert_table(stored_instances(store), rows)

    few = evaluated(tmp_path, root, limit=2, name="few", session=session)
    chosen = [row[2] for row in stored_instances(few)]
    assert set(chosen) <= set(few.read(["sample_id"])["sample_id"])
    assert few.manifest.instances["training"] == sum(row[3] == "training" for row in stored_instances(few))


def test_float16_gives_instance_metrics_what_the_platform_stores(make_project, evaluated, stored_instances, tmp_path):
    # 1/3 has other digits in float16.
    root = make_project(
        "instances",
        {"leap_binder.py": ("np.arange(SIZE, dtype=np.float32)) / 16", "1) / 3 + np.zeros(SIZE, np.float32)")},
        **MODEL,
    )
    with open_session(find_project(root)) as session:
        half = evaluated(tmp_path, root, name="half", float16=True, session=session)
        full = evaluated(tmp_path, root, name="full", session=session)

    assert stored_instances(half)[0][-1] == float(np.float16(1 / 3))
    assert stored_instances(full)[0][-1] == float(np.float32(1 / 3))


def test_summary_counts_instances_and_means_their_metrics(run):
    summary = summarize(run)

    assert {state: told["instances"]["count"] for state, told in summary.items()} == run.manifest.instances
    assert summary["training"]["instances"]["means"] == {
        "metric.brightness": pytest.approx((0 + 1.5 + 3.5 + 6.5) / 16 / 4)
    }
    assert summary["training"]["instances"]["not_finite"] == {"metric.brightness": 3}
    assert summary["unlabeled"]["instances"]["means"] == {"metric.brightness": None}
    assert summary["training"]["means"]["metric.found"] == pytest.approx(6 / 5)


@pytest.mark.usefixtures("one_process")
def test_commands_tell_of_instances(command, root, tmp_path):
    told = json.loads(command("evaluate", root, "--runs", tmp_path, "--json").out)["states"]
    assert told["validation"]["instances"] == {
        "count": 1,
        "means": {"metric.brightness": 11 / 16},
        "not_finite": {"metric.brightness": 0},
    }

    table = [line.split() for line in command("evaluate", root, "--runs", tmp_path).err.splitlines()]
    assert ["instances", "7", "1", "1"] in table
    assert ["mean", "brightness", "of", "instances", "0.1797", "0.6875", "-"] in table

    (nut, _) = (row for row in json.loads(command("sample", "training", "a", root, "--json").out)["instances"][1:])
    assert nut == {
        **{"number": 1, "name": "nut", "mask_share": pytest.approx(1 / 3)},
        **{"metadata.row": 1, "metadata.weight": None, "metadata.kind": "metal"},
        **{"metric.brightness": 1.5 / 16, "metric.darkest": 0.0},
    }
    (rag,) = json.loads(command("sample", "unlabeled", "u", root, "--json").out)["instances"]
    assert (rag["metric.brightness"], rag["metric.darkest"]) == (None, 7 / 16)
    assert json.loads(command("sample", "training", "b", root, "--json").out)["instances"] == []

    shown = [line.split() for line in command("sample", "training", "a", root).out.splitlines()]
    assert ["1", "nut", "0.3333", "1", "absent", "metal", "0.09375", "0"] in shown


METRIC = "    return dict.fromkeys(range(7), darkest)\n"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (METRIC, "    return {0: darkest, 1: darkest[:1]}\n",
         "Instance metric 'darkest[1]' returned 1 values for a batch of 5 samples; return one value a sample."),
        (METRIC, "    return {}[number]\n",
         "Instance metric 'darkest' on the 5 samples 'a' to 'd' of training: NameError: name 'number' is not defined"),
        ("mask=mask,", "mask=mask[None] if sample_id == 'd' else mask,",
         "Instance masks 'masks' on instance 1 of sample 'd' of training: its mask is float32 of shape (1, 6, 6, 1)"),
        ('{"row": 2, "weight": 1.5}', '{"colour": "red"}',
         "on instance 0 of sample 'a_1' of training: metadata 'colour': the first instance has no such key"),
        ('"kind": DatasetMetadataType.string}', '"kind": DatasetMetadataType.string, "Row": DatasetMetadataType.int}',
         "'metadata.row' and 'metadata.Row' differ only in upper and lower case; rename one."),
        ('instances_metric("darkest"', 'instances_metric("found"',
         "A metric of samples and one of instances are both called 'found'; rename one of them"),
    ],
)  # fmt: skip
def test_what_is_not_as_the_contract_has_it_is_one_sentence(make_project, evaluated, tmp_path, old, new, told):
    root = make_project("instances", {"leap_binder.py": (old, new)}, **MODEL)

    with pytest.raises(LeaplabError) as error:
        evaluated(tmp_path, root)

    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.rglob("*.parquet"))


OTHER = """@tensorleap_instances_masks_encoder("halves")
def encode_half(sample_id: str, response: PreprocessResponse, number: int) -> ElementInstance | None:
    return ElementInstance("half", np.eye(2, dtype=np.float32))


@tensorleap_element_instance_preprocess("""


def test_instances_are_those_of_the_encoder_that_the_preprocess_was_given(
    make_project, evaluated, stored_instances, tmp_path
):
    root = make_project("instances", {"leap_binder.py": ("@tensorleap_element_instance_preprocess(", OTHER)}, **MODEL)
    assert_table(stored_instances(evaluated(tmp_path, root)))

    binder = root / "leap_binder.py"
    text = binder.read_text().replace("    encode_mask,\n", "    instance_mask_encoder=encode_half,\n")
    text = text.replace(
        '    {"row": DatasetMetadataType.int', '    instance_metadata_types={"row": DatasetMetadataType.int'
    )
    binder.write_text(text)
    rows = stored_instances(evaluated(tmp_path, root, name="halves"))
    assert [row[5:10] for row in rows] == [("half", 0.5, None, None, None)] * 9


def test_instances_without_a_decorated_encoder_are_left_out_with_a_notice(
    make_project, evaluated, stored_rows, tmp_path
):
    root = make_project(
        "instances", {"leap_binder.py": ('@tensorleap_instances_masks_encoder("masks")\n', "")}, **MODEL
    )
    with open_session(find_project(root)) as session:
        (notice,) = session.notices()
        store = evaluated(tmp_path, root, session=session)

    assert notice.startswith("leaplab leaves out the element instances, as the platform does: no function is decorated")
    assert [row["sample_id"] for row in stored_rows(store)] == IDS
    assert not store.has_instances
    assert not (store.path / "instances").exists()


def test_instance_metric_may_be_wired_by_hand(make_project, evaluated, stored_instances, tmp_path):
    root = make_project("instances", **MODEL)
    binder = root / "leap_binder.py"
    binder.write_text(binder.read_text().split("@tensorleap_integration_test()")[0])
    wiring = root / "wiring.yaml"
    wiring.write_text(
        "metrics:\n"
        "  brightness: {image: input.image, elements: ground_truth.elements}\n"
        "  found: {elements: ground_truth.elements}\n"
        "  darkest: {image: input.image}\n"
    )
    with open_session(find_project(root), wiring=wiring) as session:
        store = evaluated(tmp_path, root, wiring=wiring, session=session)

    assert_table(stored_instances(store))
    assert [name for name in store.columns() if not name.startswith("input.")] == ["metadata.level", "metric.found"]


def test_run_without_instances_has_none(tiny_run):
    assert not tiny_run.has_instances
    assert (tiny_run.manifest.instances, tiny_run.manifest.instance_columns) == ({}, {})
    assert not (tiny_run.path / "instances").exists()
    assert "instances" not in summarize(tiny_run)["training"]
