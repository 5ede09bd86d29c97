"""`python -m leaplab.analysis.insight`: writes what the finders say of themselves into docs/analyses.md."""

import inspect
import re
import sys
from pathlib import Path

from leaplab.analysis.insight.registry import KINDS, finder
from leaplab.files import write_text

BEGIN = "<!-- Made of the finders' docstrings by `python -m leaplab.analysis.insight docs/analyses.md` -->"
END = "<!-- end -->"


def documented() -> str:
    """Each kind with its question, method and severity, as its finder's docstring has them."""
    sections = []
    for kind in KINDS:
        text = inspect.getdoc(finder(kind)) or ""
        question, _, rest = text.partition("\n\n")
        rest = re.sub(r"^[Ss]everity:", "*Severity:*", rest, flags=re.MULTILINE)
        rest = re.sub(r"^Source: see (`[\w.]+`)\.?$", r"Sources: \1.", rest, flags=re.MULTILINE)
        paragraphs = [" ".join(each.split()) for each in rest.split("\n\n")]
        sections.append("\n\n".join([f"### {kind}", f"**{' '.join(question.split())}**", *paragraphs]))
    return "\n\n".join(sections)


def main() -> None:
    """Replace the block in the file that is named."""
    path = Path(sys.argv[1])
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write_text(path, f"{before}{BEGIN}\n\n{documented()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
