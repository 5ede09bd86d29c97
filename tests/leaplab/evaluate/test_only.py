"""`--only`: some columns of a run computed again, by code that has changed; all else of it stays."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leaplab.errors import LeaplabError
from leaplab.store.run import RunStore
from tests.leaplab.runs_by_hand import without_ids

METADATA = {
    "    label: int = response.data[sample_id].label\n": "    label: int = 10 + response.data[sample_id].label\n",
    '@tensorleap_metadata("shade", DatasetMetadataType.string)': (
        '@tensorleap_metadata("shadow", DatasetMetadataType.string)'
    ),
}
LOSS = ("scores.cross_entropy(truth, guess)", "2 * scores.cross_entropy(truth, guess)")
METRIC = ("scores.confusion(truth, guess, LABELS)", 'scores.confusion(truth, guess, ["a", "b", "c"])')
COLUMN = ('tensorleap_custom_metric("confusion"', 'tensorleap_custom_metric("mistakes"')
ARRAYS = ("latent", "predictions", "ground_truths", "thumbnails")


def files_in(run: Path, *folders: str) -> dict[str, bytes]:
    found = [file for folder in folders for file in (run / folder).rglob("*") if file.is_file()]
    return {str(file.relative_to(run)): file.read_bytes() for file in found}


def written_at(run: Path, *folders: str) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for folder in folders for file in (run / folder).rglob("*")}


class StoppedError(Exception):
    """Ctrl-C, say."""


def stop_after(parts: int):
    counts: list[int] = []

    def progress(count: int) -> None:
        counts.append(count)
        if len(counts) == parts:
            raise StoppedError

    return progress


@pytest.fixture
def edited(make_project: Callable[..., Path], changed: Callable[[Path, str, str], None]) -> Callable[..., Path]:
    """A project that was evaluated; `edited(*changes)` edits its binder."""
    root = make_project()

    def edit(*changes: tuple[str, str]) -> Path:
        for old, new in changes:
            changed(root / "leap_binder.py", old, new)
        return root

    return edit


def test_metadata_alone_is_that_of_a_new_evaluation(edited, evaluated, tmp_path, stored_rows):
    before = evaluated(tmp_path / "runs", edited(), 7)
    old, arrays = stored_rows(before), written_at(before.path, *ARRAYS, "confusion")
    root = edited(*METADATA.items(), LOSS)

    again = evaluated(tmp_path / "runs", root, 7, only=("metadata",))
    whole = evaluated(tmp_path / "whole", root, 7)

    assert written_at(again.path, *ARRAYS, "confusion") == arrays
    for found, former, new in zip(stored_rows(again), old, stored_rows(whole), strict=True):
        assert list(found) == list(new)  # the table's columns stand as they would
        assert found["metadata.label"] == former["metadata.label"] + 10
        assert "metadata.shade" not in found
        for column, value in found.items():
            expected = new if column.startswith("metadata.") else former
            assert value == expected[column] or (value != value and expected[column] != expected[column]), column
    assert again.manifest.columns["metadata.shadow"].type == "string"
    assert "metadata.shade" not in again.manifest.columns
    assert RunStore.open(again.path).manifest.updates[0].groups == ("metadata",)


def test_losses_and_metrics_alone_give_the_bytes_of_a_new_evaluation(edited, evaluated, tmp_path):
    before = evaluated(tmp_path / "runs", edited(), 7)
    arrays = written_at(before.path, *ARRAYS)
    root = edited(LOSS, METRIC, COLUMN)

    again = evaluated(tmp_path / "runs", root, 7, only=("loss", "metric"))
    whole = evaluated(tmp_path / "whole", root, 7)

    assert written_at(again.path, *ARRAYS) == arrays
    folders = ("samples", "confusion", *ARRAYS)
    assert files_in(again.path, *folders) == files_in(whole.path, *folders)
    assert not (again.path / "confusion" / "metric.confusion").exists() or not list(
        (again.path / "confusion" / "metric.confusion").iterdir()
    )


def test_metrics_alone_add_the_ids_that_an_earlier_leaplab_dropped(make_project, evaluated, tmp_path):
    given = "float(guess[row, place]),"
    root = make_project(changes={"scores.py": (given, f"{given} 'object 0',")})
    before = evaluated(tmp_path, root, 7)
    without_ids(before.path)
    assert not RunStore.open(before.path).confusion("metric.confusion").kept_ids

    again = evaluated(tmp_path, root, 7, only=("metric",))

    found = again.confusion("metric.confusion")
    assert found.thing is not None
    assert len(set(found.thing.tolist()) - {0}) == 1
    assert len(found.row) == 3 * again.samples


def test_a_run_that_was_brought_up_to_date_in_this_way_is_up_to_date(edited, evaluated, tmp_path):
    evaluated(tmp_path, edited(), 7)
    root = edited(LOSS)
    evaluated(tmp_path, root, 7, only=("loss",))
    counts: list[int] = []

    store = evaluated(tmp_path, root, 7, counts.append)

    assert counts == []
    assert len(store.manifest.updates) == 1


def test_columns_of_element_instances_too(make_project, changed, evaluated, tmp_path):
    root = make_project("instances", inputs=("image",))
    evaluated(tmp_path / "runs", root, 2)
    binder = root / "leap_binder.py"
    changed(binder, '"weight": 0.5', '"weight": 7.5')
    changed(binder, "darkest = image.min(", "darkest = 1 - image.min(")
    changed(binder, '("found", direction=MetricDirection.Upward', '("met", direction=MetricDirection.Upward')

    metadata = evaluated(tmp_path / "runs", root, 2, only=("metadata",))
    rows = {row["instance_id"]: row for row in map(dict, _instances(metadata))}
    assert rows["a_0"]["metadata.weight"] == 7.5
    assert rows["a_0"]["metric.darkest"] == 0  # of the former code

    both = evaluated(tmp_path / "runs", root, 2, only=("metric", "metadata"))
    whole = evaluated(tmp_path / "whole", root, 2)
    folders = ("samples", "instances", "latent", "predictions")
    assert files_in(both.path, *folders) == files_in(whole.path, *folders)
    assert [update.groups for update in both.manifest.updates] == [("metadata",), ("metadata", "metric")]


def _instances(store: RunStore):
    columns = store.read_instances(["instance_id", "metadata.weight", "metric.darkest"])
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("only", [("loss",), ()])
def test_interrupted_it_is_no_whole_run_and_goes_on_where_it_stopped(edited, evaluated, tmp_path, only):
    path = evaluated(tmp_path / "runs", edited(), 7).path
    root = edited(LOSS)
    with pytest.raises(StoppedError):
        evaluated(tmp_path / "runs", root, 7, stop_after(3), only=("loss",))
    with pytest.raises(LeaplabError, match="is incomplete: 5 of 8 parts"):
        RunStore.open(path)

    counts: list[int] = []
    store = evaluated(tmp_path / "runs", root, 7, counts.append, only=only)
    whole = evaluated(tmp_path / "whole", root, 7)

    assert len(counts) == 5
    assert files_in(store.path, "samples", *ARRAYS) == files_in(whole.path, "samples", *ARRAYS)


def test_parts_that_lack_an_earlier_time_too_are_evaluated_as_a_whole(edited, evaluated, tmp_path):
    evaluated(tmp_path / "runs", edited(), 7)
    root = edited(*METADATA.items())
    with pytest.raises(StoppedError):
        evaluated(tmp_path / "runs", root, 7, stop_after(3), only=("metadata",))
    root = edited(LOSS)

    store = evaluated(tmp_path / "runs", root, 7, only=("loss",))
    whole = evaluated(tmp_path / "whole", root, 7)

    assert files_in(store.path, "samples", *ARRAYS) == files_in(whole.path, "samples", *ARRAYS)


def test_the_command_says_what_it_has_computed_again(edited, command, tmp_path):
    root = edited()
    assert command("evaluate", root, "--runs", tmp_path).code == 0
    edited(LOSS)
    finished = command("evaluate", root, "--runs", tmp_path, "--only", "losses,metrics", "--json")

    assert finished.code == 0, finished.err
    (update,) = json.loads(finished.out)["updates"]
    assert update["groups"] == ["loss", "metric"]
    assert len(update["code_sha256"]) == 64


def test_a_sample_that_fails_is_left_out_of_the_whole_part(edited, command, evaluated, tmp_path):
    root = edited()
    assert command("evaluate", root, "--runs", tmp_path).code == 0
    label = "    label: int = response.data[sample_id].label\n"
    edited((label, f'    assert sample_id != "training-03", "none"\n{label}'))
    refused = command("evaluate", root, "--runs", tmp_path, "--only", "metadata")
    assert refused.code == 2
    assert "Metadata 'label' on sample 'training-03'" in " ".join(refused.err.split())

    finished = command("evaluate", root, "--runs", tmp_path, "--only", "metadata", "--on-error", "skip", "--json")

    assert finished.code == 0, finished.err
    assert [each["sample_id"] for each in json.loads(finished.out)["skipped"]] == ["training-03"]
    store = RunStore.open(tmp_path / "tiny")
    assert store.samples == 49
    assert len(store.latent("model")) == 49


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "metadata"), "holds no manifest.json"),
        (("--only", "predictions"), "takes metadata, losses, metrics, separated by commas, and not 'predictions'"),
        (("--only", "metadata", "--update"), "name one of them"),
    ],
)
def test_what_it_cannot_do_is_a_sentence(tiny, command, tmp_path, arguments, said):
    finished = command("evaluate", tiny, "--runs", tmp_path, *arguments)

    assert finished.code == 2
    assert said in " ".join(finished.err.split())


def test_a_run_of_other_samples_is_refused(tiny, command, tmp_path):
    assert command("evaluate", tiny, "--runs", tmp_path, "--limit", 5).code == 0
    finished = command("evaluate", tiny, "--runs", tmp_path, "--only", "metadata")

    assert finished.code == 2
    assert "other samples or other options" in " ".join(finished.err.split())
