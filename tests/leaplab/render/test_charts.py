"""Figures of analyses, read back as SVG text, as matplotlib's own extents, and as pixels."""

import itertools
import re
import warnings
from collections import Counter
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from leaplab.render.charts import Finding, Group, finding_chart, group_chart, near_chart, severity_chart
from leaplab.render.contact_sheet import Shown, contact_sheet
from leaplab.render.figure import encoded, fitted, sheet, style, wrapped, write
from leaplab.render.maps import GROUPS

SVG = "{http://www.w3.org/2000/svg}"
LONG = "samples of a very long column name that says all of what there is to say about them " * 3
# Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009): severity 1.
SIGHTS = {
    "all": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.fixture
def points():
    return np.random.default_rng(0).uniform(-1, 1, (600, 2)).astype(np.float32)


def svg_of(figure: Any) -> Any:
    return ElementTree.fromstring(encoded(figure, "svg"))


def texts_of(figure: Any) -> Any:
    return ["".join(each.itertext()) for each in svg_of(figure).iter(f"{SVG}text")]


def layer(figure: Any, gid: Any) -> Any:
    """The shapes of a named layer: many are used from one definition, few are written out."""
    for group in svg_of(figure).iter(f"{SVG}g"):
        if group.get("id") == gid:
            defined = {id(each) for definitions in group.iter(f"{SVG}defs") for each in definitions.iter()}
            yield from (
                each for each in group.iter() if each.tag in (f"{SVG}use", f"{SVG}path") and id(each) not in defined
            )


def colours_of(figure: Any, gid: Any) -> Any:
    """How many points a named layer has of each colour."""
    styles = [dict(part.split(": ") for part in each.get("style").split("; ")) for each in layer(figure, gid)]
    return dict(Counter(style["fill"] for style in styles))


def outlines_of(figure: Any, gid: Any) -> Any:
    """The commands of a layer's outlines, without where they go to."""
    root = svg_of(figure)
    defined = {f"#{each.get('id')}": each for each in root.iter(f"{SVG}path")}
    shapes = (defined.get(each.get("{http://www.w3.org/1999/xlink}href"), each) for each in layer(figure, gid))
    return {"".join(letter for letter in shape.get("d") if letter.isalpha()) for shape in shapes}


def hexadecimal(colour: Any) -> Any:
    return "#" + "".join(f"{value:02x}" for value in colour)


def picture_of(figure: Any) -> Any:
    with Image.open(BytesIO(encoded(figure, "png"))) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def renderer_of(figure: Any) -> Any:
    canvas: Any = FigureCanvasAgg(figure)
    return canvas.get_renderer()


def require_legible(figure: Any) -> Any:
    """No text lies over another or leaves the figure, by matplotlib's own measure."""
    with style():
        renderer = renderer_of(figure)
        texts = [text for owner in (figure, *figure.axes) for text in owner.texts]
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text()]
    whole = figure.bbox
    for text, box in boxes:
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= whole.x1 + 1, text
        assert box.y1 <= whole.y1 + 1, text
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        over = min(first.x1, second.x1) - max(first.x0, second.x0), min(first.y1, second.y1) - max(first.y0, second.y0)
        assert min(over) <= 0.5, (one, other)


def groups_of(sizes: Any, told: Any = ("metadata.kind bolt: 90% (else 4%)",)) -> Any:
    edges = np.cumsum([0, *sizes])
    return [Group(str(n), np.arange(a, b), told) for n, (a, b) in enumerate(itertools.pairwise(edges.tolist()))]


def test_each_group_has_its_points_its_colour_its_bar_and_its_words(points):
    figure = group_chart(points, groups_of([300, 150, 50]), "3 clusters", "by the silhouette")

    drawn = colours_of(figure, "groups-0")
    assert drawn == {hexadecimal(GROUPS[0]): 300, hexadecimal(GROUPS[1]): 150, hexadecimal(GROUPS[2]): 50}
    assert sum(colours_of(figure, "others").values()) == 100
    texts = texts_of(figure)
    assert {"3 clusters", "by the silhouette", "0", "1", "2", "300", "150", "50"} <= set(texts)
    assert texts.count("metadata.kind bolt: 90% (else 4%)") == 3
    assert texts.count("1") == 2  # on the map and beside it
    bars = {bar.get_gid(): bar.get_width() for bar in figure.findobj(matplotlib.patches.Rectangle) if bar.get_gid()}
    assert bars["bar-1"] / bars["bar-0"] == pytest.approx(0.5)
    assert bars["bar-2"] / bars["bar-0"] == pytest.approx(1 / 6)
    require_legible(figure)


def test_beyond_ten_groups_colours_come_again_in_another_shape(points):
    figure = group_chart(points, groups_of([40] * 12), "12 clusters", "")

    assert len(colours_of(figure, "groups-0")) == 10
    assert colours_of(figure, "groups-1") == {hexadecimal(GROUPS[0]): 40, hexadecimal(GROUPS[1]): 40}
    assert outlines_of(figure, "groups-0").isdisjoint(outlines_of(figure, "groups-1"))
    require_legible(figure)


def test_many_groups_are_counted_where_there_is_no_room_for_them(points):
    figure = group_chart(points, groups_of([20] * 30, [LONG, LONG, LONG]), LONG, LONG)

    assert "and 14 smaller groups of 280 samples" in texts_of(figure)
    require_legible(figure)


def test_few_groups_have_room_for_more_of_what_sets_them_apart(points):
    told = [f"metadata.column_{number} 1 (else 2)" for number in range(9)]

    assert sum(text in told for text in texts_of(group_chart(points, groups_of([300, 300], told), "", ""))) == 6
    assert sum(text in told for text in texts_of(group_chart(points, groups_of([60] * 10, told), "", ""))) == 10


@pytest.mark.parametrize("sight", SIGHTS)
def test_ten_colours_are_told_apart_with_any_colour_vision(sight):
    def lab(colour: Any) -> Any:
        """CIE 1976, of what that sight makes of an sRGB colour."""
        share = np.array(colour) / 255
        linear = np.array(SIGHTS[sight]) @ np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
        x, y, z = np.cbrt(to_xyz @ linear.clip(0, 1) / [0.95047, 1, 1.08883])
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    colours = [lab(colour) for colour in GROUPS]
    assert len(colours) == 10
    # 2.3 is what one just sees side by side.
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > 15


def test_samples_without_a_place_are_not_drawn(points):
    points[:7] = np.nan

    drawn = colours_of(group_chart(points, groups_of([10, 590]), "", ""), "groups-0")
    assert drawn == {hexadecimal(GROUPS[0]): 3, hexadecimal(GROUPS[1]): 590}
    assert group_chart(points[:7], groups_of([7]), "", "") is not None
    assert group_chart(points[:7] * 0 + 1, groups_of([7]), "", "") is not None
    assert group_chart(np.ones((1, 2)), groups_of([1]), "", "") is not None


def test_a_large_map_is_a_picture_in_an_svg():
    many = np.random.default_rng(0).normal(size=(30_000, 2))
    figure = group_chart(many, groups_of([20_000, 10_000]), "", "")
    content = encoded(figure, "svg")

    assert colours_of(figure, "groups-0") == {}
    assert b"<image" in content
    assert len(content) < 2_000_000


def test_a_file_is_the_same_each_time_whatever_the_reader_has_set(points):
    def drawn(kind: Any) -> Any:
        return encoded(group_chart(points, groups_of([300, 300]), "2 clusters", "$x$"), kind)

    first = {kind: drawn(kind) for kind in ("png", "svg")}
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 30, "text.parse_math": True}):
        before = dict(matplotlib.rcParams)
        assert {kind: drawn(kind) for kind in first} == first
        assert dict(matplotlib.rcParams) == before
    assert picture_of(group_chart(points, groups_of([300]), "", "")).shape[1] == 1800
    assert b"<dc:date>" not in first["svg"]


def test_names_are_text_whatever_is_in_them(points):
    figure = group_chart(points, [Group("0", np.arange(600), ["a $\\frac{1}$ < b & c\nd"])], "<b>数字 $", "")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        texts = texts_of(figure)
        assert picture_of(figure).any()
    assert "a $\\frac{1}$ < b & c d" in texts
    assert "<b>数字 $" in texts
    # A page without matplotlib's font has another that is like it.
    assert all(re.search("DejaVu Sans.*sans-serif", text.get("style")) for text in svg_of(figure).iter(f"{SVG}text"))


@pytest.mark.parametrize("both_ends", [False, True])
def test_lines_fit_by_the_measure_of_matplotlib(both_ends):
    text = "validation/a_long_folder/of_some_camera/frame_000123.png"
    line = fitted(text, 1.5, 8.5, both_ends=both_ends)
    first, last = line.split("…")

    assert text.startswith(first)
    assert text.endswith(last)
    assert bool(last) == both_ends
    assert measured(line) <= 1.53 < measured(text)  # a screen puts letters on whole pixels
    assert measured(line) > 1.3
    assert fitted(text, 9, 8.5) == text


def test_titles_are_wrapped_at_spaces():
    lines = wrapped("one two three four five six seven eight nine ten", 0.9, 8.5, 3)

    assert len(lines) == 3
    assert all(measured(line) <= 0.93 for line in lines)
    assert lines[-1].endswith("…")
    assert wrapped("one two", 5, 8.5, 3) == ["one two"]
    assert wrapped("", 5, 8.5, 3) == []


def measured(line: Any) -> Any:
    with style():
        figure = sheet(2, "")
        write(figure, 0, 1, line, 8.5)
        return figure.texts[-1].get_window_extent(renderer_of(figure)).width / figure.dpi


def findings_of(count: int, title: str = "labels of validation to look at again") -> list[Finding]:
    return [Finding(f"{n} {title}", 1 - n / 10, np.arange(n + 1) * 3, f"{n + 1} samples of test") for n in range(count)]


def test_the_first_six_findings_have_a_map_each(points):
    figure = finding_chart(points, findings_of(8), "8 insights", "The 6 most severe.")

    for number in range(6):
        assert list(colours_of(figure, f"finding-{number}").values()) == [number + 1]
    assert colours_of(figure, "finding-6") == {}
    assert sum(colours_of(figure, "others").values()) == 6 * 600 - sum(range(7))
    texts = " ".join(texts_of(figure))
    assert "severity 0.90, 2 samples of test" in texts
    assert "severity 0.50, 6 samples of test" in texts
    assert "severity 0.40" not in texts
    require_legible(figure)
    require_legible(finding_chart(points, findings_of(6, LONG), LONG, LONG))


def test_no_finding_is_the_plain_map(points):
    figure = finding_chart(points, [], "0 insights", "")

    assert sum(colours_of(figure, "others").values()) == 600
    assert "0 insights" in texts_of(figure)


def test_a_flat_map_takes_less_room(points):
    def height(points: Any) -> Any:
        return finding_chart(points, findings_of(6), "", "").get_size_inches()[1]

    assert height(points * [1, 0.5]) == pytest.approx(height(points * [1, 0.1]))
    assert height(points * [1, 0.5]) < height(points) - 2
    assert height(points * [0.1, 1]) == pytest.approx(height(points), abs=0.1)


def test_severities_are_bars():
    figure = severity_chart(findings_of(3, LONG), LONG, LONG)

    widths: dict[Any, list[float]] = {}
    for bar in figure.findobj(matplotlib.patches.Rectangle):
        if bar.get_gid():
            widths.setdefault(bar.get_gid(), []).append(bar.get_width())
    assert [share / whole for whole, share in widths.values()] == pytest.approx([1, 0.9, 0.8])
    assert {"1.00, 1 samples of test", "0.80, 3 samples of test"} <= set(texts_of(figure))
    require_legible(figure)
    assert severity_chart([], "0 insights", "") is not None


def test_what_is_near_stands_out_of_the_map(points):
    rows = [f"{LONG}{number:03}, 0.1 away" for number in range(40)]
    figure = near_chart(points, np.array([3, 4]), np.arange(10, 50), rows, LONG, LONG)

    assert list(colours_of(figure, "query").values()) == [2]
    assert list(colours_of(figure, "near").values()) == [40]
    assert sum(colours_of(figure, "others").values()) == 558
    assert sum(text.endswith("away") for text in texts_of(figure)) == 22
    assert "and 18 more" in texts_of(figure)
    require_legible(figure)


def png(colour: Any, size: tuple[int, int] = (28, 28)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, format="PNG")
    return file.getvalue()


def test_pictures_stand_in_their_order_and_the_query_is_framed():
    colours = [(10 * n, 255 - 10 * n, 128) for n in range(21)]
    lines = [(f"{LONG}_{n}", f"label {n}", "0.1 away") for n in range(21)]
    samples = [Shown(png(c), line, n == 0) for n, (c, line) in enumerate(zip(colours, lines, strict=True))]
    figure = contact_sheet(samples, "20 nearest", "cosine distance")
    pixels = picture_of(figure)

    for number, (axes, colour) in enumerate(zip(figure.axes, colours, strict=True)):
        box = axes.get_position()
        row, column = (1 - (box.y0 + box.y1) / 2) * len(pixels), (box.x0 + box.x1) / 2 * pixels.shape[1]
        assert tuple(pixels[round(row), round(column)]) == colour
        assert round(box.x0 * 100) == round(figure.axes[number % 7].get_position().x0 * 100)  # seven a row
    frames = [axes.spines["left"].get_edgecolor() for axes in figure.axes]
    assert frames[0] != frames[1]
    assert len(set(frames[1:])) == 1
    assert {"label 0", "label 20"} <= set(texts_of(figure))
    require_legible(figure)


def test_wide_pictures_are_four_a_row_and_a_missing_one_says_so():
    samples = [Shown(None if n == 1 else png("red", (64, 36)), (f"s{n}",)) for n in range(5)]
    figure = contact_sheet(samples, "", "")

    tops = [round(axes.get_position().y1, 3) for axes in figure.axes]
    assert len(set(tops[:4])) == 1
    assert tops[4] < tops[0]
    assert texts_of(figure).count("no picture") == 1
    assert contact_sheet(samples[1:2], "", "") is not None
    require_legible(figure)
