from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access.errors import DataError
from yolov7_foresight.data.yolo_labels import list_labels, read_labels, require_classes

GOOD = "1 0.5 0.5 0.2 0.4"


@pytest.fixture
def label(tmp_path: Path) -> Path:
    return tmp_path / "frame 7.txt"


def _refusal(label: Path, text: str) -> str:
    label.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read_labels(label, 3, 480, 360)
    return str(raised.value)


def test_a_box_is_in_pixels_of_its_image_and_sides_are_not_swapped(label: Path) -> None:
    label.write_text("0 0.5 0.25 0.2 0.1\n2 0.9 0.5 0.2 1\n", encoding="utf-8")
    objects = read_labels(label, 3, 480, 360)
    np.testing.assert_allclose(objects.edges, [[192, 72, 288, 108], [384, 0, 480, 360]])
    assert objects.classes.tolist() == [0, 2]
    assert objects.classes.dtype.kind == "i"


@pytest.mark.parametrize("text", ["", "\n", "\r\n \t\n", "\ufeff"])
def test_an_empty_file_says_that_there_are_no_objects(text: str, label: Path) -> None:
    label.write_text(text, encoding="utf-8")
    objects = read_labels(label, 3, 480, 360)
    assert len(objects) == 0
    assert objects.edges.shape == (0, 4)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", "\n  \n"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\ufeff\r\n"])
def test_line_ends_of_every_system_blank_lines_and_byte_order_marks_are_passed_over(
    start: str, end: str, label: Path
) -> None:
    label.write_bytes(f"{start}{GOOD}{end} 0\t0.5 0.5 1 1 {end}".encode())
    objects = read_labels(label, 3, 100, 100)
    np.testing.assert_allclose(objects.edges, [[40, 30, 60, 70], [0, 0, 100, 100]])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1 0.5 0.5 0.2", "holds 4 values"),
        ("1 0.5 0.5 0.2 0.4 0.9", "holds 6 values"),
        ("1,0.5,0.5,0.2,0.4", "holds 1 values"),
        ("car 0.5 0.5 0.2 0.4", "class car"),
        ("3 0.5 0.5 0.2 0.4", "class 3, which is none of 0 to 2"),
        ("-1 0.5 0.5 0.2 0.4", "class -1"),
        ("1.0 0.5 0.5 0.2 0.4", "class 1.0"),
        ("1.5 0.5 0.5 0.2 0.4", "class 1.5"),
        (f"{'9' * 5000} 0.5 0.5 0.2 0.4", "class 9"),
        ("1 0.5 0.5 0.2 wide", "'wide', which is no number"),
        ("1 0,5 0.5 0.2 0.4", "'0,5', which is no number"),
        ("1 nan 0.5 0.2 0.4", "'nan', which is no number"),
        ("1 0.5 0.5 inf 0.4", "'inf', which is no number"),
        ("1 1e999 0.5 1e999 0.4", "reaches out of the image"),
        ("1 0.5 1e999 0.2 1e999", "reaches out of the image"),
        ("1 1_0 0.5 0.2 0.4", "'1_0', which is no number"),  # 10 to Python
        ("1 0.\u0665 0.5 0.2 0.4", "which is no number"),  # 0.5 to Python
        ("1 1.2 0.5 0.2 0.4", "reaches out of the image"),
        ("1 -0.5 0.5 0.2 0.4", "reaches out of the image"),
        ("1 0.5 0.9 0.2 0.4", "reaches out of the image"),
        ("1 0.5 0.1 0.2 0.4", "reaches out of the image"),
        ("1 0.1 0.5 0.203 0.4", "reaches out of the image"),
        ("1 240 180 96 144", "reaches out of the image"),  # pixels
        ("1 0.5 0.5 0 0.4", "which has no area"),
        ("1 0.5 0.5 0.2 0", "which has no area"),
        ("1 0.5 0.5 -0.2 0.4", "which has no area"),
        ("1 1.0005 0.5 0.001 0.4", "of which nothing lies in the image"),
    ],
)
def test_a_bad_line_is_an_error_that_names_file_line_and_reason(line: str, reason: str, label: Path) -> None:
    message = _refusal(label, f"{GOOD}\n\n{line}\n{GOOD}\n")
    assert message.startswith(f"{label}:3: ")
    assert reason in message
    assert "Make it `class cx cy w h`" in message


def test_an_edge_that_rounding_pushed_out_is_moved_to_the_border(label: Path) -> None:
    label.write_text("0 0.1 0.1 0.2015 0.2\n0 0.95 0.9 0.1019 0.2005\n", encoding="utf-8")
    edges = read_labels(label, 3, 1000, 1000).edges
    np.testing.assert_allclose(edges, [[0, 0, 200.75, 200], [899.05, 799.75, 1000, 1000]])


def test_an_object_that_a_file_has_twice_is_one_and_told_once(label: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label.write_text("0 .5 .5 .2 .2\n\n2 .5 .5 .2 .2\n0 0.50 5e-1 0.2 0.2\n0 .5 .5 .2 .3\n", encoding="utf-8")
    objects = read_labels(label, 3, 100, 100)
    assert objects.classes.tolist() == [0, 2, 0]
    np.testing.assert_allclose(objects.edges, [[40, 40, 60, 60], [40, 40, 60, 60], [40, 35, 60, 65]])
    told = f"{label} has an object twice, which is counted once: left out is line 4 (as line 1).\n"
    assert capsys.readouterr() == ("", told)
    assert len(read_labels(label, 3, 100, 100)) == 3
    assert capsys.readouterr() == ("", "")


def test_of_many_lines_that_repeat_a_few_are_named(label: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label.write_text(f"{GOOD}\n" * 9, encoding="utf-8")
    assert len(read_labels(label, 3, 100, 100)) == 1
    told = capsys.readouterr().err
    assert "left out are line 2 (as line 1), line 3 (as line 1), line 4 (as line 1) and 5 more." in told


numbers = st.floats(0, 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 2), numbers, numbers, numbers, numbers), max_size=5, unique=True))
def test_every_box_that_is_read_lies_in_the_image_and_is_that_of_the_file(
    rows: list[tuple[int, float, float, float, float]], label: Path
) -> None:
    label.write_text("".join(" ".join(map(repr, row)) + "\n" for row in rows), encoding="utf-8")
    try:
        objects = read_labels(label, 3, 480, 360)
    except DataError:
        assert any(
            min(w, h) <= 0
            or not (w / 2 - 1e-3 < x < 1.001 - w / 2 and h / 2 - 1e-3 < y < 1.001 - h / 2)
            # or what is left of it is thinner than the numbers can tell
            or not (x - w / 2 < min(1, x + w / 2) and y - h / 2 < min(1, y + h / 2))
            or not (x + w / 2 > max(0, x - w / 2) and y + h / 2 > max(0, y - h / 2))
            for _, x, y, w, h in rows
        )
        return
    assert objects.classes.tolist() == [row[0] for row in rows]
    for (left, top, right, bottom), (_, x, y, w, h) in zip(objects.edges.tolist(), rows, strict=True):
        assert 0 <= left < right <= 480
        assert 0 <= top < bottom <= 360
        expected = [(x - w / 2) * 480, (y - h / 2) * 360, (x + w / 2) * 480, (y + h / 2) * 360]
        np.testing.assert_allclose([left, top, right, bottom], expected, atol=480 * 1.001e-3)


@given(text=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
def test_any_text_is_read_or_refused_in_a_sentence(text: str, label: Path) -> None:
    label.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        edges = read_labels(label, 3, 480, 360).edges
    except DataError as error:
        refusal = str(error)
    else:
        refusal = str(label)
        assert np.isfinite(edges).all()
    assert str(label) in refusal


def test_a_file_that_is_no_text_or_cannot_be_read_is_named(label: Path) -> None:
    label.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(DataError, match=r"frame 7\.txt is no text"):
        read_labels(label, 3, 480, 360)
    label.unlink()
    with pytest.raises(DataError, match=r"frame 7\.txt cannot be read"):
        read_labels(label, 3, 480, 360)


def _images(*stems: str) -> dict[str, Path]:
    return {stem: Path("images", f"{stem}.jpg") for stem in stems}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "labels"
    folder.mkdir()
    for stem in ("a", "b", "größe 1"):
        (folder / f"{stem}.txt").write_text(GOOD, encoding="utf-8")
    return folder


def test_labels_belong_to_the_images_of_their_stem(folder: Path) -> None:
    (folder / "b.txt").rename(folder / "b.TXT")
    (folder / ".hidden.txt").touch()
    (folder / "train.cache").touch()
    found = list_labels(folder, _images("größe 1", "b", "a"))
    assert found == {"a": folder / "a.txt", "b": folder / "b.TXT", "größe 1": folder / "größe 1.txt"}


def test_an_image_without_a_label_is_an_error_that_tells_what_to_add(folder: Path) -> None:
    with pytest.raises(DataError) as raised:
        list_labels(folder, _images("a", "z", "b", "y", "größe 1"))
    assert f"{Path('images', 'y.jpg')} has no label" in str(raised.value)
    assert "and 1 more have none" in str(raised.value)
    assert f"put y.txt into {folder}, an empty file if it shows no object" in str(raised.value)


def test_a_label_without_an_image_is_an_error_that_names_it(folder: Path) -> None:
    with pytest.raises(DataError) as raised:
        list_labels(folder, _images("a", "größe 1"))
    assert f"{folder / 'b.txt'} has no image of its name: put the image there" in str(raised.value)


def test_the_list_of_classes_is_no_label_unless_an_image_is_called_so(folder: Path) -> None:
    (folder / "classes.txt").write_text("car\n", encoding="utf-8")
    assert set(list_labels(folder, _images("a", "b", "größe 1"))) == {"a", "b", "größe 1"}
    assert "classes" in list_labels(folder, _images("a", "b", "größe 1", "classes"))


def test_a_folder_of_labels_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="labels cannot be read: No such file or directory"):
        list_labels(tmp_path / "labels", _images("a"))


def test_classes_in_another_order_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    require_classes(path, ("car", "pedestrian"))
    path.write_bytes("\ufeffcar\r\npedestrian\r\n\r\n".encode())
    require_classes(path, ("car", "pedestrian"))
    for text in ("pedestrian\ncar\n", "car\n", "car\npedestrian\ncyclist\n", ""):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="give both the same names in the same order") as raised:
            require_classes(path, ("car", "pedestrian"))
        assert str(path) in str(raised.value)


def test_classes_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="cannot be read"):
        require_classes(path, ("car",))
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        require_classes(path, ("car",))
