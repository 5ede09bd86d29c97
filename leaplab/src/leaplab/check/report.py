"""What a check found, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaplab.check.catalogue import CATALOGUE, Finding, judge
from leaplab.check.evidence import TIME_LIMIT, Evidence, gather
from leaplab.check.untried import not_tried
from leaplab.environments.interpreter import Interpreter

SECTIONS = {
    "project": "leap.yaml",
    "bundle": "What a push uploads",
    "source": "Source",
    "integration_test": "The integration test",
    "binding": "Binding",
    "preprocess": "Preprocess",
    "handlers": "Encoders, latent spaces, simulations",
    "metadata": "Metadata",
    "scores": "Model, losses, metrics, visualizers",
}
"""Heading of the page for each module of rules."""


@dataclass(frozen=True)
class Report:
    """The findings about one integration, and what was looked at.

    Attributes:
        not_tried: a sentence for each thing that could not be tried, and why.
    """

    root: str
    findings: tuple[Finding, ...]
    rules: int
    samples: int
    not_tried: tuple[str, ...] = ()

    def exit_code(self, strict: bool = False) -> int:
        """0 where nothing is wrong; 1 for an error (or, strict, for a warning)."""
        severities = {finding.severity for finding in self.findings}
        return int("error" in severities or (strict and "warning" in severities))

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        told = {"root": self.root, "rules": self.rules, "samples": self.samples}
        return {**told, "findings": list(self.findings), "not_tried": list(self.not_tried)}


def check(
    path: Path,
    model: Path | None = None,
    time_limit: float = TIME_LIMIT,
    python: Interpreter | None = None,
    wiring: Path | None = None,
) -> Report:
    """Look at an integration from all sides and judge it by every rule.

    Args:
        path: its folder.
        model: a model file to use instead of its own.
        time_limit: seconds for each of the processes that run it.
        python: the interpreter that runs it; leaplab's own where none is given.
        wiring: a wiring or mapping file, for an integration without an integration test.
    """
    evidence = gather(path, model, time_limit, python, wiring)
    findings = judge(evidence)
    return Report(str(evidence.root), tuple(findings), len(CATALOGUE), _probed(evidence), not_tried(evidence))


def _probed(evidence: Evidence) -> int:
    return evidence.probe.samples if evidence.probe else 0


def catalogue_page() -> str:
    """docs/check-rules.md, made of the catalogue."""
    import leaplab.check.rules  # noqa: F401 - importing them fills the catalogue

    lines = [
        "# The rules of `leaplab check`",
        "",
        "Made of the catalogue in `leaplab/check/rules/` by `python -m leaplab.check.report`; do not edit it here.",
        "An *error* fails the push or falsifies its results; a *warning* may be meant so, and `--strict` makes it an",
        "error. Numbers are never used again.",
        "",
    ]
    for module, heading in SECTIONS.items():
        lines += [f"## {heading}", ""]
        for number in sorted(CATALOGUE):
            each = CATALOGUE[number]
            if each.look.__module__.rpartition(".")[2] == module:
                lines += [f"### {number} {each.severity}: {each.title}", "", each.why, "", f"*Mend:* {each.mend}", ""]
                if each.fallback:
                    lines += ["Reported only where no other rule explains the failure.", ""]
    return "\n".join(lines[:-1]) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Write the page to the file that is named, or print it."""
    if arguments:
        Path(arguments[0]).write_text(catalogue_page(), encoding="utf-8")
    else:
        print(catalogue_page(), end="")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
