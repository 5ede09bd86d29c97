"""Rules, findings, and the one registry of both. docs/check-rules.md is written from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from leaplab.check.evidence import Evidence

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something that breaks a rule.

    Attributes:
        rule: its number, C01 and so on.
        severity: an error fails the push or falsifies its results; a warning may be meant so.
        place: file:line, or the file, state or handler that it is about.
        sentence: what is wrong.
        mend: what to do.
    """

    rule: str
    severity: Severity
    place: str
    sentence: str
    mend: str


Breaches = Iterator[tuple[str, str]]
"""(place, sentence) for each breach of a rule."""
Look = Callable[["Evidence"], Breaches]
"""Looks at the evidence."""


@dataclass(frozen=True)
class Rule:
    """One rule of the contract.

    Attributes:
        number: never used again once it was given.
        title: what must hold.
        why: what happens where it does not.
        mend: what to do.
        fallback: reported only where no other rule explains the failure.
    """

    number: str
    severity: Severity
    title: str
    why: str
    mend: str
    look: Look
    fallback: bool = False

    def findings(self, evidence: "Evidence") -> list[Finding]:
        """Every breach of this rule."""
        # Two processes may have seen the same.
        breaches = dict.fromkeys((place, _as_sentence(text)) for place, text in self.look(evidence))
        return [Finding(self.number, self.severity, place, sentence, self.mend) for place, sentence in breaches]


CATALOGUE: dict[str, Rule] = {}


def rule(
    number: str, severity: Severity, title: str, *, why: str, mend: str, fallback: bool = False
) -> Callable[[Look], Look]:
    """Register a function as the look of a rule."""

    def register(look: Look) -> Look:
        assert number not in CATALOGUE, f"{number} is given twice"
        CATALOGUE[number] = Rule(number, severity, title, why, mend, look, fallback)
        return look

    return register


def judge(evidence: "Evidence") -> list[Finding]:
    """The findings of all rules, by number; fallbacks only where there is no other error."""
    import leaplab.check.rules  # noqa: F401 - importing them fills the catalogue

    ordered = [CATALOGUE[number] for number in sorted(CATALOGUE)]
    found = [finding for each in ordered if not each.fallback for finding in each.findings(evidence)]
    if not any(finding.severity == "error" for finding in found):
        found += [finding for each in ordered if each.fallback for finding in each.findings(evidence)]
    return found


def _as_sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
