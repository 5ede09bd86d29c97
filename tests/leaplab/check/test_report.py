"""What a report comes to, and the page about the rules."""

from pathlib import Path

import pytest

from leaplab.check.catalogue import CATALOGUE, Finding
from leaplab.check.report import Report, catalogue_page, main

PAGE = Path(__file__).resolve().parents[3] / "docs" / "check-rules.md"
ERROR = Finding("C40", "error", "leap_binder.py:3", "NameError: x.", "Mend it.")
WARNING = Finding("C42", "warning", "leap_binder.py:4", "It prints 'x'.", "Remove it.")


@pytest.mark.parametrize(
    ("findings", "code", "strict_code"), [((), 0, 0), ((WARNING,), 0, 1), ((ERROR,), 1, 1), ((WARNING, ERROR), 1, 1)]
)
def test_the_exit_code_follows_the_worst_finding(findings: tuple[Finding, ...], code: int, strict_code: int) -> None:
    report = Report("/integration", findings, rules=2, samples=0)
    assert report.exit_code() == code
    assert report.exit_code(strict=True) == strict_code


def test_the_page_is_in_step_with_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue_page(), (
        "run: python -m leaplab.check.report docs/check-rules.md"
    )


def test_the_page_tells_of_every_rule_once() -> None:
    page = catalogue_page()
    headings = [line for line in page.splitlines() if line.startswith("### ")]
    assert sorted(headings) == [
        f"### {number} {CATALOGUE[number].severity}: {CATALOGUE[number].title}" for number in sorted(CATALOGUE)
    ]
    assert all(rule.why in page and f"*Mend:* {rule.mend}" in page for rule in CATALOGUE.values())


def test_rules_are_written_for_people() -> None:
    for number, rule in CATALOGUE.items():
        assert rule.why.endswith("."), number
        assert rule.mend.endswith("."), number
        assert not rule.title.endswith("."), number
        assert rule.why[0].isupper() or rule.why.startswith(("code-loader", "-1", "`")), number
        assert len(rule.title) <= 90, number


def test_the_page_goes_to_the_file_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path / "page.md")])
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == catalogue_page()
    main([])
    assert capsys.readouterr().out == catalogue_page()
