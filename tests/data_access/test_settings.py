from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from data_access import DataError, SettingsError, load_settings


class Nested(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)]
    kind: Literal["ink", "paper"] = "ink"


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    labels: tuple[str, ...]
    nested: Nested = Nested(threshold=0.5)
    many: tuple[Nested, ...] = ()
    counts: dict[str, int] = {}
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    side: Annotated[int, msgspec.Meta(gt=0, multiple_of=32)] = 32
    size: tuple[int, int] = (28, 28)
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=2)] = ("a", "b")
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=9)] = "x"
    verbose: bool = False
    maybe: Nested | None = None

    def __post_init__(self) -> None:
        if len(self.labels) == 1:
            raise ValueError("one label alone leaves nothing to classify")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "project_config.yaml"


def test_values_arrive_with_their_types(path: Path) -> None:
    path.write_text(
        """
        # a comment
        labels: [cat, dog]
        nested: {threshold: 1, kind: paper}
        many:
          - threshold: 0.25
        counts: {a: 1}
        limit: 100
        size: [32, 64]
        """
    )
    assert load_settings(path, Example) == Example(
        labels=("cat", "dog"),
        nested=Nested(threshold=1.0, kind="paper"),
        many=(Nested(threshold=0.25),),
        counts={"a": 1},
        limit=100,
        size=(32, 64),
    )


def test_a_section_is_read_alone(path: Path) -> None:
    path.write_text("other: 5\nsplit: {threshold: 0.5}\n")
    assert load_settings(path, Nested, "split") == Nested(threshold=0.5)


def test_an_empty_section_or_file_leaves_the_defaults(path: Path) -> None:
    class AllDefaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        seed: int = 3

    path.write_text("split:\n")
    assert load_settings(path, AllDefaults, "split").seed == 3
    path.write_text("# seed: 4\n")
    assert load_settings(path, AllDefaults).seed == 3


def test_a_change_of_the_file_is_seen_at_once(path: Path) -> None:
    path.write_text("threshold: 0.5")
    assert load_settings(path, Nested).threshold == 0.5
    path.write_text("threshold: 0.6")
    assert load_settings(path, Nested).threshold == 0.6


def test_anchors_and_merges_are_no_double_keys(path: Path) -> None:
    path.write_text("labels: [a, b]\nnested: &base {threshold: 0.1}\nmaybe: {<<: *base, threshold: 0.2}\n")
    assert load_settings(path, Example).maybe == Nested(threshold=0.2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("labels:", "'labels' must be a list, got nothing."),
        ("", "'labels' is missing; add it."),
        ("labels: cat", "'labels' must be a list, got 'cat'."),
        ("labels: [a, 1]", "'labels[1]' must be text, got 1."),
        ("labels: [a]", "one label alone leaves nothing to classify."),
        ("nested: {threshold: a lot}", "'nested.threshold' must be a number between 0 and 1, got 'a lot'."),
        ("nested: {threshold: 1.5}", "'nested.threshold' must be a number between 0 and 1, got 1.5."),
        ("nested: {threshold: yes}", "'nested.threshold' must be a number between 0 and 1, got true."),
        ("nested: {}", "'nested.threshold' is missing; add it."),
        ("nested: 3", "'nested' must be a mapping of keys to values, got 3."),
        ("nested: {threshold: 1, kind: wood}", "'nested.kind' must be one of 'ink', 'paper', got 'wood'."),
        ("nested: {treshold: 1}", "'nested.treshold' is not a known key; write 'threshold' or remove it."),
        ("nested: {q: 1, threshold: 1}", "'nested.q' is not a known key; known here are threshold, kind."),
        ("maybe: {q: 1, threshold: 1}", "'maybe.q' is not a known key; known here are threshold, kind."),
        (
            "many: [{threshold: 0}, {threshold: 7}]",
            "'many[1].threshold' must be a number between 0 and 1, got 7.",
        ),
        ("counts: {a: b}", "a value of 'counts' does not fit; it must be a whole number."),
        ("counts: {1: 2}", "every key of 'counts' must be text."),
        ("limit: 0", "'limit' must be a whole number of at least 1 or null, got 0."),
        ("limit: 1.5", "'limit' must be a whole number of at least 1 or null, got 1.5."),
        ("side: 33", "'side' must be a whole number above 0 and divisible by 32, got 33."),
        ("size: [1, 2, 3]", "'size' must be a list of 2 items, got a list of 3 items."),
        ("names: [a]", "'names' must be a list of at least 2 items, got a list of 1 item."),
        ("title: ''", "'title' must be text of at least 1 character and of at most 9 characters, got ''."),
        ("verbose: 1", "'verbose' must be true or false, got 1."),
        ("verbose: {a: b}", "'verbose' must be true or false, got a mapping of 1 key."),
        ("5: x", "every key of the file must be text."),
        ("- labels", "the file must be a mapping of keys to values, got a list of 1 item."),
        (
            "side: 1\nside: 2",
            "line 2, column 1: this is no valid YAML; the key 'side' occurs twice, remove one.",
        ),
        ("title: 2020-13-45", "this is no valid YAML; month must be in 1..12."),
    ],
)
def test_a_problem_is_said_in_one_sentence(text: str, sentence: str, path: Path) -> None:
    path.write_text(text if "labels" in text or text in ("", "5: x") else f"{text}\nlabels: [a, b]")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, Example)
    assert str(caught.value) == f"{path}: {sentence}"


def test_a_number_that_yaml_takes_for_text_gets_a_hint(path: Path) -> None:
    path.write_text("threshold: 1e-3")
    with pytest.raises(SettingsError, match=r"got '1e-3', which YAML reads as text: .* exponents as in 1\.0e-3"):
        load_settings(path, Nested)


def test_a_long_value_is_cut(path: Path) -> None:
    path.write_text(f"threshold: {'long ' * 1000}")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, Nested)
    assert len(str(caught.value)) < len(str(path)) + 150


def test_a_section_goes_before_the_key(path: Path) -> None:
    path.write_text("split: {threshold: 2}")
    with pytest.raises(SettingsError, match=r"'split\.threshold' must be a number between 0 and 1, got 2"):
        load_settings(path, Nested, "split")


@pytest.mark.parametrize("text", ["other: 1", "", "[split]"])
def test_a_missing_section_is_named(text: str, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(SettingsError, match="the section 'split' is missing"):
        load_settings(path, Nested, "split")


@pytest.mark.parametrize(
    ("text", "line"), [("threshold: 1\nkind: [a", 2), ("threshold: 1\n  kind: a", 2), ("a: 1\n\n\tb: 2", 3)]
)
def test_a_syntax_error_is_told_by_its_line(text: str, line: int, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(SettingsError, match=f": line {line}, column [0-9]+: this is no valid YAML"):
        load_settings(path, Nested)


def test_bytes_that_are_no_text_are_refused(path: Path) -> None:
    path.write_bytes(b"threshold: \xff\xfe\xfa")
    with pytest.raises(SettingsError, match="this is no valid YAML"):
        load_settings(path, Nested)


def test_yaml_runs_no_code(path: Path, tmp_path: Path) -> None:
    path.write_text(f"threshold: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']")
    with pytest.raises(SettingsError, match="line 1, column 12"):
        load_settings(path, Nested)
    assert not (tmp_path / "made").exists()


def test_a_missing_or_unreadable_file_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"project_config\.yaml does not exist"):
        load_settings(path, Nested)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, Nested)


def test_a_settings_error_is_a_data_error() -> None:
    # Commands catch the one and print it.
    assert issubclass(SettingsError, DataError)
