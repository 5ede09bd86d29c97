import math
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.store.catalog import catalog
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import RunStore
from leaplab.store.writing import PartValues, WrittenRun

NAN, INF = float("nan"), float("inf")
ODD = 'metadata.the "odd" one\'s; -- name'
WHOLE: dict[str, tuple[str, list[Any]]] = {
    "metadata.score": ("float", [1, 2.5, NAN, None, INF, -INF]),
    "metadata.tiny": ("float", [1e300, 1e-300, 0.1, -0.0, None, 3]),
    "metadata.count": ("int", [0, -1, 2**53 - 1, None, 7, 8]),
    "metadata.text": ("string", ["", "None", None, "naïve 🐱\n\t'\"", "null", "12"]),
    "metadata.flag": ("boolean", [True, False, None, True, False, None]),
    ODD: ("float", [1.0, None, None, None, None, 2.0]),
}


def write(store, *columns, ids=None, latents=None, predictions=None, confusion=None) -> None:
    """Write the store's parts, each with its columns; arrays are lists of one a part."""
    for part, table in zip(store.manifest.parts, columns, strict=True):
        names = ids[part.start : part.stop] if ids else [f"{part.state}-{row}" for row in range(part.start, part.stop)]
        arrays: Any = [
            {key: each[part.number] for key, each in (a or {}).items()} for a in (latents, predictions, confusion)
        ]
        store.write_part(PartValues(part, names, table, *arrays))


def same(found, wanted) -> Any:
    return [(a is None and b is None) or a == b or (a != a and b != b) for a, b in zip(found, wanted, strict=True)]


def test_every_type_comes_back_as_it_went(make_store):
    store = make_store({"training": (6,)}, {name: kind for name, (kind, _) in WHOLE.items()})
    write(store, {name: values for name, (_, values) in WHOLE.items()})

    for row in range(6):
        found = store.row(row)
        assert all(same(found.values(), [f"training-{row}", "training", *(v[row] for _, v in WHOLE.values())]))
    assert list(store.columns()) == list(WHOLE)
    with duckdb.connect() as connection:
        described = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet(?)", [str(store.sample_files()[0])]
        ).fetchall()
    assert [kind for _, kind, *_ in described[2:]] == ["DOUBLE", "DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "DOUBLE"]


def test_columns_are_numbers_with_nan_and_objects_with_none(make_store):
    store = make_store({"training": (6,)}, {name: kind for name, (kind, _) in WHOLE.items()})
    write(store, {name: values for name, (_, values) in WHOLE.items()})
    read = store.read([*WHOLE, "sample_id", "state"])

    for name in ("metadata.score", "metadata.tiny", "metadata.count", ODD):
        assert read[name].dtype == np.float64
        assert all(same(read[name], [NAN if value is None else value for value in WHOLE[name][1]]))
    for name in ("metadata.text", "metadata.flag"):
        assert read[name].tolist() == WHOLE[name][1]
        assert read[name].dtype == object
    assert read["sample_id"].tolist() == [f"training-{row}" for row in range(6)]


@pytest.mark.parametrize(("kind", "value"), [("float", 2.5), ("int", 7), ("string", "late"), ("boolean", True)])
def test_value_after_thousands_of_absent_ones_is_kept(make_store, kind, value):
    store = make_store({"training": (3000,)}, {"metadata.late": kind})
    write(store, {"metadata.late": [None] * 2999 + [value]})

    assert store.row(2999)["metadata.late"] == value
    assert store.row(2998)["metadata.late"] is None


def test_fraction_after_thousands_of_integers_is_kept(make_store):
    store = make_store({"training": (3000,)}, {"metadata.late": "float"})
    write(store, {"metadata.late": [1] * 2999 + [2.5]})

    assert store.row(2999)["metadata.late"] == 2.5


def test_parts_join_where_one_has_a_column_absent_or_not_at_all(make_store):
    kinds = {"metadata.text": "string", "loss.a": "float", "metadata.flag": "boolean"}
    store = make_store({"training": (2, 1), "unlabeled": (1,)}, kinds)
    write(
        store,
        {"metadata.text": [None, None], "loss.a": [0.5, NAN], "metadata.flag": [None, None]},
        {"metadata.text": ["x"], "loss.a": [1.5], "metadata.flag": [True]},
        {"metadata.text": ["y"], "metadata.flag": [None]},
    )
    read = store.read(["metadata.text", "loss.a", "metadata.flag", "state", "sample_id"])

    assert read["metadata.text"].tolist() == [None, None, "x", "y"]
    assert read["metadata.flag"].tolist() == [None, None, True, None]
    np.testing.assert_array_equal(read["loss.a"], [0.5, NAN, 1.5, NAN])
    assert read["state"].tolist() == ["training"] * 3 + ["unlabeled"]
    assert read["sample_id"].tolist() == ["training-0", "training-1", "training-2", "unlabeled-0"]
    assert math.isnan(store.row(1)["loss.a"])  # a loss that is NaN is no absent loss
    assert store.row(3).get("loss.a") is None


def test_rows_of_every_part_are_found(make_store):
    store = make_store({"training": (2, 3), "validation": (1, 2)}, {"metadata.place": "int"})
    write(
        store,
        *({"metadata.place": [100 * p.number + i for i in range(p.stop - p.start)]} for p in store.manifest.parts),
    )

    assert [store.row(row)["metadata.place"] for row in range(8)] == [0, 1, 100, 101, 102, 200, 300, 301]
    assert store.row(5)["sample_id"] == "validation-0"
    assert store.samples == 8


def test_keys_of_a_dictionary_metric_have_what_was_declared_for_them(make_store):
    declared = {
        "metric.iou": ColumnEntry("float", "upward", True),
        "metric.iou_car": ColumnEntry("float", "downward", False),
        "metadata.name": ColumnEntry("string"),
    }
    store = make_store({"training": (1,)}, declared)
    write(store, {"metric.iou_car": [0.1], "metric.iou_car_far": [0.2], "metric.iou_cat": [0.3], "metric.other": [0.4]})

    assert store.columns() == {
        "metric.iou_car": ColumnEntry("float", "downward", False),
        "metric.iou_car_far": ColumnEntry("float", "downward", False),
        "metric.iou_cat": ColumnEntry("float", "upward", True),
        "metric.other": ColumnEntry("float"),
    }


def test_confusion_elements_say_of_which_sample_they_are(make_store):
    store = make_store({"training": (2, 1), "validation": (2,)})
    elements = [
        {
            "offset": [0, 1, 1],
            "label": ["cat", "dog", "o'clock"],
            "expected": [True, False, True],
            "probability": [0.1, 0.2, 0.3],
        },
        {"offset": [], "label": [], "expected": [], "probability": []},
        {"offset": [1], "label": ["cat"], "expected": [False], "probability": [0.5]},
    ]
    write(store, {}, {}, {}, confusion={"metric.matrix": elements})
    folder = store.path / "confusion" / "metric.matrix"
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT sample_id, label, expected, round(probability, 4) FROM read_parquet(?) ORDER BY ALL",
            [[str(path) for path in sorted(folder.iterdir())]],
        ).fetchall()

    assert found == [
        ("training-0", "cat", True, pytest.approx(0.1)),
        ("training-1", "dog", False, pytest.approx(0.2)),
        ("training-1", "o'clock", True, pytest.approx(0.3)),
        ("validation-1", "cat", False, pytest.approx(0.5)),
    ]


def test_latent_vectors_and_predictions_join_over_parts(make_store):
    store = make_store({"training": (2, 1)})
    vectors = np.arange(12, dtype=np.float64).reshape(3, 4)
    outputs = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
    write(
        store, {}, {}, latents={"model": [vectors[:2], vectors[2:]]}, predictions={"boxes": [outputs[:2], outputs[2:]]}
    )

    assert store.latent_spaces() == {"model": 4}
    np.testing.assert_array_equal(store.latent("model"), vectors)
    assert store.latent("model").dtype == np.float32
    for row in range(3):
        np.testing.assert_array_equal(store.prediction("boxes", row), outputs[row])
    assert store.prediction("masks", 0) is None


def test_latent_spaces_are_told_by_name(make_store):
    store = make_store({"training": (1,)})
    assert store.latent_spaces() == {}

    write(store, {}, latents={"model": [np.ones((1, 4))], "head": [np.ones((1, 2))]})

    assert list(store.latent_spaces().items()) == [("head", 2), ("model", 4)]
    with pytest.raises(LeaplabError) as raised:
        store.latent("other")
    assert str(raised.value) == f"{store.path} has no latent space 'other'; it has head, model."


@pytest.mark.parametrize("row", [-1, 3])
def test_there_is_no_row_before_the_first_or_after_the_last(make_store, row):
    store = make_store({"training": (2, 1)}, instances={"training": 0})
    empty: dict[str, list[Any]] = {"offset": [], "number": []}
    for part in store.manifest.parts:
        count = part.stop - part.start
        outputs = {"scores": np.ones((count, 2), np.float32)}
        store.write_part(PartValues(part, ["a"] * count, {}, {}, outputs, {}, empty))

    for read in (store.row, store.instances_of, lambda row: store.prediction("scores", row)):
        with pytest.raises(IndexError, match=rf"^{row}$"):
            read(row)


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("samples/00001.parquet", lambda store: store.read(["sample_id"])),
        ("samples/00001.parquet", lambda store: store.row(2)),
        ("latent/model/00001.npy", lambda store: store.latent("model")),
        ("predictions/scores/00001.npy", lambda store: store.prediction("scores", 2)),
    ],
)
@pytest.mark.parametrize("damage", ["gone", "cut", "empty", "other"])
def test_damaged_file_is_told_with_what_to_do(make_store, file, read, damage):
    store = make_store({"training": (2, 1)})
    arrays = [np.ones((2, 4), np.float32), np.ones((1, 4), np.float32)]
    write(store, {}, {}, latents={"model": arrays}, predictions={"scores": arrays})
    path = store.path / file
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": path.read_bytes()[:-9], "empty": b"", "other": b"it was text " * 40}[damage])

    with pytest.raises(
        LeaplabError, match=r"^[^\n]* cannot be read \([^\n]+\); evaluate that run again, which mends it\.$"
    ) as raised:
        read(store)
    assert str(raised.value).startswith(str(path.parent))
    assert path.name in str(raised.value)


def test_one_row_is_read_without_the_others(make_store):
    store = make_store({"training": (400,)})
    outputs = np.zeros((400, 4096), np.float32)  # 6.5 MB
    write(store, {}, latents={"model": [outputs]}, predictions={"scores": [outputs]})

    tracemalloc.start()
    assert store.prediction("scores", 7).shape == (4096,)
    assert store.latent_spaces() == {"model": 4096}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.parametrize("sign", [1, -1])
def test_whole_numbers_beside_absent_ones_are_doubles_where_each_has_one_of_its_own(make_store, sign):
    columns = {
        "metadata.exact": [sign * 2**53, None, 3],
        "metadata.larger": [sign * (2**53 + 1), None, 3],
        "metadata.absent": [None, None, None],
        "metadata.present": [sign * (2**53 + 1), sign * 2**53, 3],
    }
    store = make_store({"training": (3,)}, dict.fromkeys(columns, "int"))
    write(store, columns)
    read = store.read([*columns])

    assert {name: values.dtype for name, values in read.items()} == {
        **{"metadata.exact": np.float64, "metadata.larger": object},
        **{"metadata.absent": np.float64, "metadata.present": np.int64},
    }
    np.testing.assert_array_equal(read["metadata.exact"], [sign * 2.0**53, NAN, 3])
    np.testing.assert_array_equal(read["metadata.absent"], [NAN] * 3)
    for name in ("metadata.larger", "metadata.present"):
        assert read[name].tolist() == columns[name]


def test_tables_are_compressed(make_store):
    store = make_store({"training": (3,)}, {"loss.a": "float"})
    write(store, {"loss.a": [1.0, 2.0, 3.0]})
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT DISTINCT compression FROM parquet_metadata(?)", [str(store.sample_files()[0])]
        )
        assert found.fetchall() == [("ZSTD",)]


def test_incomplete_run_opens_for_writing_alone(make_store, make_manifest):
    store = make_store({"training": (2, 1)})
    store.write_part(PartValues(store.manifest.parts[1], ["c"], {}, {}, {}, {}))

    assert [part.number for part in store.missing_parts()] == [0]
    with pytest.raises(LeaplabError) as raised:
        RunStore.open(store.path)
    assert str(raised.value) == (
        f"{store.path} is incomplete: 1 of 2 parts are missing or damaged; run the same `leaplab evaluate` again, it"
        " makes just these."
    )
    assert WrittenRun.begin(store.path, make_manifest()).missing_parts() == store.missing_parts()

    store.write_part(PartValues(store.manifest.parts[0], ["a", "b"], {}, {}, {}, {}))
    assert RunStore.open(store.path).read(["sample_id"])["sample_id"].tolist() == ["a", "b", "c"]


def complete(store) -> Any:
    for part in store.manifest.parts:
        store.write_part(PartValues(part, [str(row) for row in range(part.start, part.stop)], {}, {}, {}, {}))
    return store


def test_complete_run_of_another_identity_is_replaced_only_when_asked(make_store, make_manifest):
    store = complete(make_store())
    other = make_manifest(identity="two")

    with pytest.raises(LeaplabError) as raised:
        WrittenRun.begin(store.path, other)
    assert str(raised.value) == (
        f"{store.path} holds a run of another model, other code or other options; give this one a --name, or replace"
        " that one by --update."
    )
    assert WrittenRun.begin(store.path, make_manifest(), "outdated").missing_parts() == []
    assert WrittenRun.begin(store.path, other, "outdated").missing_parts() == list(other.parts)
    assert not list(store.path.rglob("*.parquet"))
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]  # nothing left aside


def test_replace_always_drops_even_a_run_of_the_same_identity(make_store, make_manifest):
    store = complete(make_store())

    assert len(WrittenRun.begin(store.path, make_manifest(), "always").missing_parts()) == 2


def test_incomplete_run_of_another_identity_is_begun_anew(make_store, make_manifest):
    store = make_store()
    store.write_part(PartValues(store.manifest.parts[0], ["a", "b"], {}, {}, {}, {}))

    assert len(WrittenRun.begin(store.path, make_manifest(identity="two")).missing_parts()) == 2


def test_removal_that_is_interrupted_leaves_no_half_of_a_run(make_store, make_manifest, monkeypatch):
    store = complete(make_store())

    def interrupted(folder: Path, **_: Any) -> None:
        if parts := [*folder.rglob("*.parquet")]:
            parts[0].unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            WrittenRun.begin(store.path, make_manifest(identity="two"), "outdated")

    assert not store.path.exists()
    assert catalog(store.path.parent) == []
    # Nor is what it left aside in the way of the next one, whose process may have the same number.
    complete(WrittenRun.begin(store.path, make_manifest(identity="two")))
    assert len(WrittenRun.begin(store.path, make_manifest(identity="three"), "outdated").missing_parts()) == 2
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]


@pytest.mark.parametrize("content", ["{", '{"schema": 0}'])
def test_run_that_cannot_be_read_is_replaced_only_when_asked(make_store, make_manifest, content):
    store = complete(make_store())
    for replace in ("outdated", "always"):
        (store.path / "manifest.json").write_text(content)
        with pytest.raises(LeaplabError, match="manifest.json cannot be read|by an older version of leaplab"):
            WrittenRun.begin(store.path, make_manifest())
        assert (store.path / "manifest.json").read_text() == content

        assert len(WrittenRun.begin(store.path, make_manifest(), replace).missing_parts()) == 2


@pytest.mark.parametrize("replace", ["never", "outdated", "always"])
def test_folder_or_file_that_is_no_run_is_never_touched(tmp_path, make_manifest, replace):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "work.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")

    for name in ("folder", "file"):
        with pytest.raises(LeaplabError, match=f"{name} exists and is no run; choose another --name"):
            WrittenRun.begin(tmp_path / name, make_manifest(), replace)
    assert (tmp_path / "folder" / "work.txt").read_text() == (tmp_path / "file").read_text() == "mine"


def test_empty_folder_is_taken(tmp_path, make_manifest):
    assert WrittenRun.begin(tmp_path, make_manifest()).path == tmp_path


def test_run_may_be_read_from_several_threads(make_store):
    # The explorer answers each request in a thread of its own.
    store = make_store({"training": (500,)}, {"metadata.a": "int", "metadata.b": "string"})
    write(store, {"metadata.a": list(range(500)), "metadata.b": [str(row) for row in range(500)]})
    wrong = []

    def read() -> None:
        for row in range(0, 500, 50):
            if store.row(row)["metadata.a"] != row or store.read(["metadata.b"])["metadata.b"][row] != str(row):
                wrong.append(row)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_names_with_slashes_are_names_of_one_space(tmp_path, make_manifest):
    store = WrittenRun.begin(tmp_path / "run", make_manifest({"training": (2,)}))
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    store.write_part(
        PartValues(store.manifest.parts[0], ["a", "b"], {}, {"head/left": vectors}, {"boxes/top": vectors}, {})
    )
    assert store.latent_spaces() == {"head/left": 3}
    np.testing.assert_array_equal(store.latent("head/left"), vectors)
    np.testing.assert_array_equal(store.prediction("boxes/top", 1), vectors[1])
