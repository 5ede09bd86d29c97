"""READMEs and docs/: what they name is there, what is there they show, and each figure has what draws it."""

import itertools
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from docs.pages import ROOT, Block, Picture, blocks_of, pages, pictures_of
from docs.views import VIEWS
from leaplab.cli.chart import ChartKind
from leaplab.cli.commands import app

COMMANDS = vars(typer.main.get_command(app))["commands"]
PAGES = pages()
CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
INDENTED = re.compile(r"^ {4,}((?:leaplab|make|\.venv/bin/python|python -m) .*)$", re.MULTILINE)
COMMAND = re.compile(r"(?:\S*/)?leaplab(?= )|leaplab(?= )")
OPTION = re.compile(r"--[a-z][a-z-]*|-[a-zA-Z]")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
ANIMATION = ROOT / "docs" / "images" / "explorer.gif"
"""Drawn by docs/draw_animation.py."""
VERDICTS = ("holds", "partly", "does not hold", "cannot be said")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def without_blocks(text) -> str:
    lines = text.splitlines()
    for block in blocks_of(text):
        for number in block.lines:
            lines[number] = ""
    return "\n".join(lines)


def lines_of_code(page) -> Iterator[str]:
    """What a page asks its reader to type: lines of shell blocks, code among words, indented lines."""
    text = text_of(page)
    for block in blocks_of(text):
        if block.language in ("sh", "bash"):
            yield from block.text.splitlines()
    prose = without_blocks(text)
    yield from (" ".join(found.split()) for found in CODE.findall(prose))
    yield from INDENTED.findall(prose)


def commands_of(page) -> Iterator[list[str]]:
    """The arguments of each `leaplab` command on a page."""
    for line in lines_of_code(page):
        if COMMAND.match(line):
            words = shlex.split(line.replace("[", "").replace("]", ""), comments=True)
            yield list(itertools.takewhile(lambda word: word not in ("|", "&&", ";"), words[1:]))


def options_of(command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


def every_picture() -> list[Picture]:
    return [picture for page in PAGES for picture in pictures_of(page)]


def anchors_of(page) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = HEADING.findall(without_blocks(text_of(page)))
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def misnamed(arguments) -> str | None:
    """What of a command does not exist."""
    if not arguments or not arguments[0].islower():
        return None
    command = COMMANDS.get(arguments[0])
    if command is None:
        return f"there is no `leaplab {arguments[0]}`"
    kinds = [word for word in arguments[1:2] if word.islower() and not word.startswith("-")]
    if arguments[0] == "chart" and not set(kinds) <= set(ChartKind):
        return f"`leaplab {arguments[0]}` knows no {arguments[1]}"
    given = [word.partition("=")[0] for word in arguments[1:] if OPTION.fullmatch(word.partition("=")[0])]
    unknown = [option for option in given if option not in options_of(command)]
    return f"`leaplab {arguments[0]}` has no {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_of_a_page_is_one(page):
    assert [found for arguments in commands_of(page) if (found := misnamed(arguments))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_somewhere(page):
    for target in LINK.findall(without_blocks(text_of(page))):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        led_to = (page.parent / path).resolve() if path else page
        assert led_to.exists(), target
        assert not anchor or anchor in anchors_of(led_to), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_target_of_make_and_each_module_is_there(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for line in lines_of_code(page):
        words = line.split() if line.startswith(("make ", ".venv/bin/python", "python -m")) else []
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        elif words[1:2] == ["-m"] and words[2].islower():
            module = words[2].replace(".", "/")
            paths = [
                ROOT / root / end for root in ("", "leaplab/src") for end in (f"{module}.py", f"{module}/__main__.py")
            ]
            assert any(path.is_file() for path in paths), line
        elif words[1:] and words[1].endswith(".py"):
            assert (ROOT / words[1]).is_file(), line


def modules_with_options() -> dict[str, set[str]]:
    """Module of a `python -m` that pages name -> the options that they give it."""
    given: dict[str, set[str]] = {}
    for page in PAGES:
        for line in lines_of_code(page):
            words = line.split()
            if line.startswith((".venv/bin/python -m", "python -m")) and words[2].islower():
                given.setdefault(words[2], set()).update(word for word in words[3:] if OPTION.fullmatch(word))
    return {module: options for module, options in given.items() if options}


@pytest.mark.long  # a train.py imports its framework
@pytest.mark.parametrize("module", modules_with_options())
def test_each_option_of_a_module_is_one(module):
    options = modules_with_options()[module]
    told = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert options <= set(OPTION.findall(told.stdout))


def test_each_picture_of_a_page_is_there_and_each_that_is_there_is_shown():
    shown = {picture.path for picture in every_picture()}
    files = {path for folder in ROOT.glob("*/images") for path in folder.iterdir()}

    assert {path for path in shown if not path.is_file()} == set()
    assert files - shown == set()


def test_each_figure_is_drawn_by_the_commands_above_it_or_is_a_view_of_the_page():
    pictures = every_picture()
    views = {ROOT / view.path for _, views_of in VIEWS.values() for view in views_of()}
    by_commands = {picture.path for picture in pictures if picture.commands}

    assert by_commands & views == set()
    assert {picture.path for picture in pictures} == by_commands | views | {ANIMATION}
    assert len(by_commands) == sum(bool(picture.commands) for picture in pictures), "two places draw one figure"


@pytest.mark.parametrize(
    "picture",
    [picture for picture in every_picture() if picture.commands],
    ids=lambda picture: str(picture.path.relative_to(ROOT)),
)
def test_the_commands_above_a_figure_can_be_parsed_and_draw_it(picture):
    drawn = []
    for line in picture.commands:
        program, name, *arguments = shlex.split(line, comments=True)
        assert program == "leaplab", line
        context = COMMANDS[name].make_context(name, list(arguments))
        drawn.append((name, context.params))
    named = [values["figure"].name for _, values in drawn if values.get("figure")]
    other = [name for name, values in drawn if name == "heatmap" or values.get("why")]

    assert named == [picture.path.name] or (not named and len(other) == 1)


def test_an_example_s_pictures_of_the_page_lie_in_its_folder():
    for example, (_, views_of) in VIEWS.items():
        assert {Path(view.path).parts[0] for view in views_of()} == {example}


def test_the_animation_is_small_enough_for_a_page():
    assert ANIMATION.stat().st_size < 3_000_000


def test_the_table_of_claims_is_counted_as_its_page_says():
    text = text_of(ROOT / "docs" / "stories.md")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| claim")]
    verdicts = [row.rsplit("|", 2)[1].strip() for row in rows]
    counts = [
        sum(verdict == known or verdict.startswith((f"{known},", f"{known}:", f"{known} ")) for verdict in verdicts)
        for known in VERDICTS
    ]

    assert sum(counts) == len(rows)
    holds, partly, not_, unsaid = counts
    said = (
        f"Of {len(rows)} claims {holds} hold, {partly} hold in part, {not_} do not hold, and of {unsaid} we cannot say."
    )
    assert said in text
    assert f"{holds} of {len(rows)} claims hold, {partly} in part, {not_} do not." in text_of(ROOT / "README.md")


def test_each_claim_says_where_it_is_shown_and_what_shows_it():
    text = text_of(ROOT / "docs" / "stories.md")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| claim")]
    for row in rows:
        claim, where, command, number, verdict = (cell.strip() for cell in row.strip("|").split("|"))
        assert claim
        assert number
        assert "](" in where
        assert command or verdict.startswith("cannot be said"), row


PAGE = """# A page

```sh
first --figure one.png \\
  --more
```

![one](images/one.png)

```sh
second
```
Words.

![two](images/two.png)

```text
![no](no.png)
```
![three](images/three.png) ![four](images/four.png)
"""


def test_a_picture_has_the_commands_of_the_block_directly_above_it(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(PAGE, encoding="utf-8")

    one, two, three, four = pictures_of(page)

    assert one == Picture(page, tmp_path / "images" / "one.png", ("first --figure one.png    --more",))
    assert [picture.commands for picture in (two, three, four)] == [(), (), ()]
    assert four.path == tmp_path / "images" / "four.png"


def test_blocks_are_told_with_their_language_and_lines():
    assert list(blocks_of(PAGE))[1:] == [
        Block("sh", range(9, 12), "second"),
        Block("text", range(16, 19), "![no](no.png)"),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("leaplab chart bar --x a", None),
        ("leaplab chart KIND [RUN]", None),
        ("leaplab chart bars --x a", "`leaplab chart` knows no bars"),
        ("leaplab chars bar", "there is no `leaplab chars`"),
        ("leaplab similar --id A --whence x", "`leaplab similar` has no --whence"),
        ("leaplab sample STATE ID -o pictures", "`leaplab sample` has no -o"),
        ('leaplab domain-gap --source "a < -1"', None),
    ],
)
def test_what_does_not_exist_is_seen(line, told, tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"Say `{line}`.\n", encoding="utf-8")

    assert [misnamed(arguments) for arguments in commands_of(page)] == [told]
