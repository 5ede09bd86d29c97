import time
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
        ("nested: {threshold: true}", "'nested.threshold' must be a number between 0 and 1, got true."),
        ("nested: {threshold: yes}", "'nested.threshold' must be a number between 0 and 1, got 'yes'."),
        ("nested: {threshold: .inf}", "'nested.threshold' must be a number between 0 and 1, got '.inf'."),
        ("nested: {threshold: .nan}", "'nested.threshold' must be a number between 0 and 1, got '.nan'."),
        ("limit: 1:30", "'limit' must be a whole number of at least 1 or null, got '1:30'."),
        ("limit: 0x1F", "'limit' must be a whole number of at least 1 or null, got '0x1F'."),
        ("verbose: yes", "'verbose' must be true or false, got 'yes'."),
        ("limit: 2031-01-02", "'limit' must be a whole number of at least 1 or null, got '2031-01-02'."),
        (
            "limit: !!int '1:30'",
            "line 1, column 8: this is no valid YAML; the tag !!int has no meaning here, remove it.",
        ),
        (
            "nested: {threshold: 1.0e+999}",
            "line 1, column 21: this is no valid YAML; the number 1.0e+999 is too large.",
        ),
        (
            f"limit: {'9' * 5000}",
            "line 1, column 8: this is no valid YAML; a number of 5000 digits is too large.",
        ),
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
    ],
)
def test_a_problem_is_said_in_one_sentence(text: str, sentence: str, path: Path) -> None:
    path.write_text(text if "labels" in text or text in ("", "5: x") else f"{text}\nlabels: [a, b]")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, Example)
    assert str(caught.value) == f"{path}: {sentence}"


@pytest.mark.parametrize("word", ["1:30", "no", "on", "Y", "010", "0b1", "12:30:45.5", "=", "2031-1-2"])
def test_what_other_readers_of_yaml_turn_into_numbers_truth_or_dates_is_the_text_that_was_written(
    word: str, path: Path
) -> None:
    path.write_text(f"labels: [{word}, 'x']\ncounts: {{{word}: 1}}", encoding="utf-8")
    assert load_settings(path, Example).labels == (word, "x")
    assert load_settings(path, Example).counts == {word: 1}


@pytest.mark.parametrize(
    ("written", "value"), [("7", 7), ("-0.5", -0.5), ("+1_000", 1000), ("1.5e-3", 0.0015), (".5", 0.5), ("1.", 1.0)]
)
def test_plain_numbers_are_numbers(written: str, value: float, path: Path) -> None:
    class Number(msgspec.Struct):
        number: float

    path.write_text(f"number: {written}", encoding="utf-8")
    assert load_settings(path, Number).number == value


class Anything(msgspec.Struct):
    it: object = None


DOUBLED = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 31))
MERGED = "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: 1}}\n" for n in range(1, 31))
CHAINED = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5000))
BOMBS = {
    "aliases of aliases": (
        f"a0: &a0 [1, 2]\n{DOUBLED}",
        r"line \d+, column \d+: .*it stands for more than 100,000 values",
    ),
    "merges of merges": (
        f"a0: &a0 {{k: 1}}\n{MERGED}",
        r"line \d+, column \d+: .*it stands for more than 100,000 values",
    ),
    "a chain of aliases": (f"a0: &a0 [1]\n{CHAINED}", "line 50, column 6: .*it nests more than 50 levels deep"),
    "an alias of itself": ("it: &it [1, *it]", "line 1, column 13: .*\\*it lies within what it stands for"),
    "a merge of itself": ("it: &it {<<: *it}", "line 1, column 14: .*\\*it lies within what it stands for"),
    "brackets without end": ("it: " + "[" * 100_000, "line 1, column 54: .*it nests more than 50 levels deep"),
    "braces without end": ("{a: " * 100_000, "line 1, column .*: .*it nests more than 50 levels deep"),
    "lists without end": ("- " * 5000, "line 1, column .*: .*it nests more than 50 levels deep"),
    "a book": ("it: " + "x" * 1_000_000, "a settings file has at most 1,000,000 bytes; name another or shorten it"),
}


@pytest.mark.parametrize(("text", "said"), BOMBS.values(), ids=BOMBS.keys())
def test_a_file_that_stands_for_more_than_settings_is_refused_before_it_is_built(
    text: str, said: str, path: Path
) -> None:
    path.write_text(text, encoding="utf-8")
    began = time.process_time()
    with pytest.raises(SettingsError, match=said) as raised:
        load_settings(path, Anything)
    assert time.process_time() - began < 5
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < len(str(path)) + 150


def test_a_file_that_never_ends_is_refused() -> None:
    with pytest.raises(SettingsError, match="/dev/zero: a settings file has at most 1,000,000 bytes"):
        load_settings(Path("/dev/zero"), Anything)


def test_as_deep_as_settings_go_is_read(path: Path) -> None:
    path.write_text("it: " + "[" * 40 + "]" * 40, encoding="utf-8")
    found = load_settings(path, Anything).it
    for _ in range(39):
        assert isinstance(found, list)
        (found,) = found
    assert found == []


def test_a_number_that_yaml_takes_for_text_gets_a_hint(path: Path) -> None:
    path.write_text("threshold: 1e-3")
    with pytest.raises(SettingsError, match=r"got '1e-3', which is read as text: .* exponents as in 1\.0e-3"):
        load_settings(path, Nested)
    path.write_text("labels: [a, b]\nlimit: 010")  # 8 to YAML 1.1, 10 to 1.2
    with pytest.raises(
        SettingsError, match=r"got '010', which is read as text: write numbers without .* leading zeros"
    ):
        load_settings(path, Example)


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
