import math
import threading
from typing import Any

import duckdb
import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import PartValues, RunStore

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
        arrays = [
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
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(store._part(0))]).fetchall()
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


def test_confusion_elements_are_numbered_by_the_rows_of_the_run(make_store):
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
            "SELECT sample, label, expected, round(probability, 4) FROM read_parquet(?) ORDER BY ALL",
            [[str(path) for path in sorted(folder.iterdir())]],
        ).fetchall()

    assert found == [
        (0, "cat", True, pytest.approx(0.1)),
        (1, "dog", False, pytest.approx(0.2)),
        (1, "o'clock", True, pytest.approx(0.3)),
        (4, "cat", False, pytest.approx(0.5)),
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
    with pytest.raises(LeaplabError, match="has no latent space 'other'; it has model"):
        store.latent("other")


def test_incomplete_run_opens_for_writing_alone(make_store, make_manifest):
    store = make_store({"training": (2, 1)})
    store.write_part(PartValues(store.manifest.parts[1], ["c"], {}, {}, {}, {}))

    assert [part.number for part in store.missing_parts()] == [0]
    with pytest.raises(LeaplabError, match="is incomplete: 1 of 2 parts are missing"):
        RunStore.open(store.path)
    assert RunStore.begin(store.path, make_manifest()).missing_parts() == store.missing_parts()

    store.write_part(PartValues(store.manifest.parts[0], ["a", "b"], {}, {}, {}, {}))
    assert RunStore.open(store.path).read(["sample_id"])["sample_id"].tolist() == ["a", "b", "c"]


def complete(store) -> Any:
    for part in store.manifest.parts:
        store.write_part(PartValues(part, [str(row) for row in range(part.start, part.stop)], {}, {}, {}, {}))
    return store


def test_complete_run_of_another_identity_is_replaced_only_when_asked(make_store, make_manifest):
    store = complete(make_store())
    other = make_manifest(identity="two")

    with pytest.raises(LeaplabError, match="holds a run of another model, other code or other options"):
        RunStore.begin(store.path, other)
    assert RunStore.begin(store.path, make_manifest(), "outdated").missing_parts() == []
    assert RunStore.begin(store.path, other, "outdated").missing_parts() == list(other.parts)
    assert not list(store.path.rglob("*.parquet"))
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]  # nothing left aside


def test_replace_always_drops_even_a_run_of_the_same_identity(make_store, make_manifest):
    store = complete(make_store())

    assert len(RunStore.begin(store.path, make_manifest(), "always").missing_parts()) == 2


def test_incomplete_run_of_another_identity_is_begun_anew(make_store, make_manifest):
    store = make_store()
    store.write_part(PartValues(store.manifest.parts[0], ["a", "b"], {}, {}, {}, {}))

    assert len(RunStore.begin(store.path, make_manifest(identity="two")).missing_parts()) == 2


@pytest.mark.parametrize("replace", ["never", "outdated", "always"])
def test_folder_or_file_that_is_no_run_is_never_touched(tmp_path, make_manifest, replace):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "work.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")

    for name in ("folder", "file"):
        with pytest.raises(LeaplabError, match=f"{name} exists and is no run; choose another --name"):
            RunStore.begin(tmp_path / name, make_manifest(), replace)
    assert (tmp_path / "folder" / "work.txt").read_text() == (tmp_path / "file").read_text() == "mine"


def test_empty_folder_is_taken(tmp_path, make_manifest):
    assert RunStore.begin(tmp_path, make_manifest()).path == tmp_path


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
    store = RunStore(tmp_path / "run", make_manifest({"training": (2,)}))
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    store.write_part(
        PartValues(store.manifest.parts[0], ["a", "b"], {}, {"head/left": vectors}, {"boxes/top": vectors}, {})
    )
    assert store.latent_spaces() == {"head/left": 3}
    np.testing.assert_array_equal(store.latent("head/left"), vectors)
    np.testing.assert_array_equal(store.prediction("boxes/top", 1), vectors[1])
