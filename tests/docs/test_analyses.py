"""docs/analyses.md has a section for each command that asks a run a question, and no other."""

import re

from leaplab.analysis.insight.__main__ import documented
from leaplab.cli.commands import app

MAKING_RUNS = ("leaplab.cli.commands", "leaplab.cli.evaluate")


def test_every_analysis_has_its_section(repository):
    commands = {
        (command.name or command.callback.__name__)
        for command in app.registered_commands
        if command.callback is not None and command.callback.__module__ not in MAKING_RUNS
    }
    text = (repository / "docs" / "analyses.md").read_text(encoding="utf-8")
    sections = re.split(r"^## leaplab (\w[\w-]*)$", text, flags=re.MULTILINE)[1:]

    assert set(sections[::2]) == commands
    for section in sections[1::2]:
        assert "**How far to trust it.**" in section


def test_what_the_finders_say_of_themselves_is_what_the_page_says(repository):
    text = (repository / "docs" / "analyses.md").read_text(encoding="utf-8")

    assert documented() in text, "run: python -m leaplab.analysis.insight docs/analyses.md"
    assert documented().count("*Severity:*") == documented().count("### ") == 9
