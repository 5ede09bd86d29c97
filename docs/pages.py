"""The pages of this repository as their reader takes them: blocks of commands, and the picture that each draws."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^\s*```(\w*)\s*$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: behind the fence, or empty.
        lines: those of the page, from 0 on: the fence's own first, and the one behind the last.
        text: what stands in it; a line that ends with a backslash and the next are one.
    """

    language: str
    lines: range
    text: str


@dataclass(frozen=True)
class Picture:
    """A picture on a page.

    Attributes:
        page: where it stands.
        path: its file.
        commands: the lines of the block of shell commands directly above it; empty where there is none.
    """

    page: Path
    path: Path
    commands: tuple[str, ...]


def pages(root: Path = ROOT) -> list[Path]:
    """The README of the repository, those of its folders, and docs/."""
    return [root / "README.md", *sorted(root.glob("*/README.md")), *sorted((root / "docs").glob("*.md"))]


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    language, start, inside = "", -1, list[str]()
    for number, line in enumerate(text.splitlines()):
        fence = FENCE.match(line)
        if fence and start < 0:
            language, start, inside = fence.group(1), number, []
        elif fence:
            yield Block(language, range(start, number + 1), "\n".join(inside).replace("\\\n", " "))
            start = -1
        elif start >= 0:
            inside.append(line)


def pictures_of(page: Path) -> Iterator[Picture]:
    """The pictures of a page, each with the commands above it."""
    lines = page.read_text(encoding="utf-8").splitlines()
    blocks = list(blocks_of("\n".join(lines)))
    for number, line in enumerate(lines):
        if any(number in block.lines for block in blocks):
            continue
        for found in IMAGE.finditer(line):
            above = [
                block
                for block in blocks
                if block.lines.stop <= number and not "".join(lines[block.lines.stop : number]).strip()
            ]
            commands = above[-1].text.splitlines() if above and above[-1].language == "sh" else []
            yield Picture(page, (page.parent / found.group(1)).resolve(), tuple(filter(None, commands)))
