"""The finders: leaplab's own, and those that other packages register."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from leaplab.analysis.insight.result import Found
from leaplab.analysis.insight.samples import Samples
from leaplab.errors import LeaplabError

ENTRY_POINTS = "leaplab.insights"
KINDS = (
    "correlated_metadata",
    "shortcut",
    "mislabeled_samples",
    "duplication",
    "data_leakage",
    "overfitting",
    "out_of_distribution",
    "domain_gap",
    "low_performance",
)
"""In the order of computing: what needs neither clusters nor neighbours comes first, so that something is told soon."""

Finder = Callable[[Samples], Found]


def kinds() -> list[str]:
    """Every kind that there is a finder of, in the order of computing.

    Raises:
        LeaplabError: two packages register the same kind, or one registers a kind of leaplab's.
    """
    known = list(KINDS)
    for point in _registered():
        if point.name in known:
            raise LeaplabError(f"The insight '{point.name}' of {_package(point)} is there already; rename that one.")
        known.append(point.name)
    return known


def finder(kind: str) -> Finder:
    """The finder of a kind.

    Raises:
        LeaplabError: it is another package's, and cannot be imported.
    """
    if kind in KINDS:
        found: Finder = import_module(f"leaplab.analysis.insight.{kind}").find
        return found
    point = next(point for point in _registered() if point.name == kind)
    try:
        found = point.load()
    except Exception as error:
        raise LeaplabError(f"The insight '{kind}' of {_package(point)} cannot be imported: {error!r}.") from error
    return found


def _registered() -> list[EntryPoint]:
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value
