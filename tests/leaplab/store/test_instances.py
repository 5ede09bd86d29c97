"""The table of element instances, beside that of the samples."""

import math
from typing import Any

import duckdb
import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import RunStore
from leaplab.store.writing import PartValues, WrittenRun

NAN = float("nan")
COLUMNS = {
    "name": ColumnEntry("string"),
    "mask_share": ColumnEntry("float"),
    "metadata.row": ColumnEntry("int"),
    "metadata.torn": ColumnEntry("boolean"),
    "metric.iou": ColumnEntry("float", "upward", True),
}
# Samples a_1 and b of the first part, c of the second, d and e of the third.
PARTS: list[dict[str, list[Any]]] = [
    {
        "offset": [0, 0, 1],
        "number": [0, 1, 0],
        "name": ["nut", None, "bolt"],
        "mask_share": [0.25, None, 0.0],
        "metadata.row": [3, None, 2**53 - 1],
        "metadata.torn": [True, None, False],
        "metric.iou": [0.5, NAN, None],
    },
    {column: [] for column in ("offset", "number", *COLUMNS)},
    {
        **{"offset": [1], "number": [0], "name": ["lid"], "mask_share": [1.0]},
        **{"metadata.row": [None], "metadata.torn": [None], "metric.iou": [None]},
    },
]
IDS = [["a_1", "b"], ["c"], ["d", "e"]]


@pytest.fixture
def store(make_store) -> WrittenRun:
    made: WrittenRun = make_store(
        {"training": (2, 1), "validation": (2,)},
        instances={"training": 3, "validation": 1},
        instance_columns=COLUMNS,
    )
    for part, ids, instances in zip(made.manifest.parts, IDS, PARTS, strict=True):
        made.write_part(PartValues(part, ids, {}, {}, {}, {}, instances))
    return made


def test_instances_come_back_with_their_samples_and_ids(store):
    read = store.read_instances(["instance_id", "offset", "sample_id", "state", "number"])

    assert read["instance_id"].tolist() == ["a_1_0", "a_1_1", "b_0", "e_0"]
    assert read["offset"].tolist() == [0, 0, 1, 1]
    assert store.instance_rows().tolist() == [0, 0, 1, 4]
    assert read["sample_id"].tolist() == ["a_1", "a_1", "b", "e"]
    assert read["state"].tolist() == ["training"] * 3 + ["validation"]
    assert read["number"].tolist() == [0, 1, 0, 0]


def test_columns_of_instances_are_as_those_of_samples(store):
    read = store.read_instances(["metric.iou", *COLUMNS])

    assert read["name"].tolist() == ["nut", None, "bolt", "lid"]
    assert read["metadata.torn"].tolist() == [True, None, False, None]
    np.testing.assert_array_equal(read["mask_share"], [0.25, NAN, 0.0, 1.0])
    np.testing.assert_array_equal(read["metadata.row"], [3, NAN, 2**53 - 1, NAN])
    np.testing.assert_array_equal(read["metric.iou"], [0.5, NAN, NAN, NAN])
    assert store.instance_columns() == COLUMNS
    with duckdb.connect() as connection:
        described = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet(?)", [str(store.path / "instances" / "00001.parquet")]
        ).fetchall()
    assert [(name, kind) for name, kind, *_ in described] == [
        *(("instance_id", "VARCHAR"), ("sample_id", "VARCHAR"), ("state", "VARCHAR"), ("offset", "BIGINT")),
        *(("number", "BIGINT"), ("name", "VARCHAR"), ("mask_share", "DOUBLE")),
        *(("metadata.row", "BIGINT"), ("metadata.torn", "BOOLEAN"), ("metric.iou", "DOUBLE")),
    ]


def test_instances_of_a_sample_are_found_by_its_row(store):
    first, second = store.instances_of(0)

    assert first == {
        **{"instance_id": "a_1_0", "offset": 0, "sample_id": "a_1", "state": "training", "number": 0, "name": "nut"},
        **{"mask_share": 0.25, "metadata.row": 3, "metadata.torn": True, "metric.iou": 0.5},
    }
    assert (second["number"], second["name"], second["mask_share"]) == (1, None, None)
    assert math.isnan(second["metric.iou"])  # a metric that is NaN is no absent metric
    assert [[each["instance_id"] for each in store.instances_of(row)] for row in (1, 2, 3, 4)] == [
        ["b_0"], [], [], ["e_0"]
    ]  # fmt: skip
    assert store.instances_of(1)[0]["metric.iou"] is None


def test_what_nobody_declared_of_instances_is_a_float(make_store):
    made = make_store({"training": (2,)}, instances={"training": 3}, instance_columns=COLUMNS)
    extra = {**PARTS[0], "metric.iou_far": [0.5, None, 1.5], "metric.extra": [1, None, 2.5]}
    made.write_part(PartValues(made.manifest.parts[0], IDS[0], {}, {}, {}, {}, extra))

    columns = made.instance_columns()
    assert columns["metric.iou_far"] == COLUMNS["metric.iou"]  # a key of a metric that is declared
    assert columns["metric.extra"] == ColumnEntry("float")
    np.testing.assert_array_equal(made.read_instances(["metric.extra"])["metric.extra"], [1, NAN, 2.5])


def test_a_part_whose_writing_fails_does_not_count(make_store):
    made = make_store({"training": (2,)}, {"loss.a": "float"}, instances={"training": 3}, instance_columns=COLUMNS)
    with pytest.raises(ValueError, match="could not convert"):
        made.write_part(PartValues(made.manifest.parts[0], IDS[0], {"loss.a": ["x", "y"]}, {}, {}, {}, PARTS[0]))
    assert (made.path / "instances" / "00000.parquet").exists()
    assert made.missing_parts() == list(made.manifest.parts)

    with pytest.raises(ValueError, match="could not convert"):
        made.write_part(
            PartValues(made.manifest.parts[0], IDS[0], {}, {}, {}, {}, {**PARTS[0], "mask_share": ["x", "y", "z"]})
        )
    assert made.missing_parts() == list(made.manifest.parts)


def test_run_that_knows_nothing_of_instances_has_none(make_store):
    made = make_store({"training": (1,)})
    made.write_part(PartValues(made.manifest.parts[0], ["a"], {}, {}, {}, {}))
    manifest = made.path / "manifest.json"
    older = manifest.read_text().replace(',\n  "instances": {},\n  "instance_columns": {}', "")
    assert older != manifest.read_text()
    manifest.write_text(older)
    made = RunStore.open(made.path)

    assert not made.has_instances
    assert made.instance_columns() == {}
    assert made.instances_of(0) == []
    with pytest.raises(LeaplabError, match="has no element instances"):
        made.read_instances(["name"])
