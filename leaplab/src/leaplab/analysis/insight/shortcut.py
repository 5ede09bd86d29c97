"""Columns that alone tell the class."""

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.correlation import together
from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import TRAINING, Labels, Samples
from leaplab.analysis.insight.wording import first_of, say_the_same, told_p, too_few_classes
from leaplab.analysis.shortcuts import (
    HALF_OF_THE_WAY,
    LEAST_OF_A_CLASS,
    MOST_CLASSES,
    Shortcut,
    describes,
    shortcuts,
)


def find(samples: Samples) -> Found:
    """Does a single image property or metadata column tell the class, so that a model may learn it instead?

    On training, else on the labelled state with the most samples: cross-validated balanced accuracy of a tree that sees
    one column, against permuted labels (`leaplab.analysis.shortcuts`; Quinlan 1986, Ojala and Garriga 2010).
    Told from half of the way from chance to 1. Columns that go with each other by more than .9 are one insight. A
    column that is the label, or describes it by definition, as `is_animal` does, or whose categories are the classes,
    is left out and named.

    Members are the samples whose class the column tells, those with the least other classes about them first.

    severity: (balanced accuracy - chance) / (1 - chance).
    """
    labels = samples.labels
    if labels is None:
        return silence(samples.absent.get("labels", "The run tells no classes."))
    state = _state(samples, labels)
    if state is None:
        return silence(f"No labelled {samples.noun} has a class in {labels.source}.")
    rows = np.flatnonzero(samples.in_state(state) & (labels.codes >= 0))
    codes = labels.codes[rows]
    sizes = np.bincount(codes)
    classes = int((sizes >= LEAST_OF_A_CLASS).sum())
    if classes < 2:
        return silence(too_few_classes(state, classes, LEAST_OF_A_CLASS, samples.noun))
    if classes > MOST_CLASSES:
        return silence(
            f"{state.capitalize()} has {classes:,} classes; a single column is tried for up to {MOST_CLASSES}."
        )
    columns = {name: values.of(rows) for name, values in samples.columns.items()}
    # A column of the very classes, such as the class of the nearest centre, is a guess of the label and no property.
    by_definition = [
        name
        for name, values in columns.items()
        if set(values.categories or ()) == set(labels.names) or describes(values, codes)
    ]
    tried = {name: values for name, values in columns.items() if name not in by_definition}
    found = {each.column: each for each in shortcuts(tried, codes)}
    left_out = _left_out(by_definition, labels)
    if not found:
        return silence(
            f"None of {len(tried):,} columns of {state} tells the class by itself: no balanced accuracy goes more than"
            f" {HALF_OF_THE_WAY:.0%} of the way from chance to 1.{left_out}"
        )
    groups = together({name: columns[name] for name in found})
    insights = [_insight(samples, labels, state, rows, [found[name] for name in group], left_out) for group in groups]
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)))


def _state(samples: Samples, labels: Labels) -> str | None:
    counts = {
        state: int((samples.in_state(state) & (labels.codes >= 0)).sum()) for state in reversed(samples.labelled_states)
    }
    if counts.get(TRAINING):
        return TRAINING
    return max(counts, key=lambda state: counts[state]) if any(counts.values()) else None


def _insight(
    samples: Samples, labels: Labels, state: str, rows: NDArray[np.int64], group: list[Shortcut], left_out: str
) -> Insight:
    strongest = group[0]
    column, noun = strongest.column, samples.noun
    known, right = int(np.isfinite(strongest.told).sum()), int(strongest.right.sum())
    members = np.flatnonzero(strongest.right)
    members = members[np.argsort(-strongest.told[members], kind="stable")]
    sentences = [
        f"A tree that sees nothing but {column} tells the class ({labels.source}) of {noun}s of {state} that it was not"
        f" fitted on with a balanced accuracy of {strongest.balanced_accuracy:.2f} (chance {strongest.chance:.2f},"
        f" p {told_p(strongest.p)}), so the model may have learned it instead of the content."
    ]
    if len(group) > 1:
        sentences.append(say_the_same([each.column for each in group[1:]], column))
    acquire = max(0, 2 * right - known)
    return Insight(
        title=f"{column} alone tells the class",
        explanation=" ".join(sentences) + left_out,
        severity=(strongest.balanced_accuracy - strongest.chance) / (1 - strongest.chance),
        action=Action(
            0,
            acquire,
            f"Vary {column} in augmentation, or acquire {noun}s of each class with the values that other classes have:"
            f" about {acquire:,} of them make {column} tell the class of no more than half of {state}.",
        ),
        members=rows[members],
        scores=strongest.told[members],
        population=known,
        state=state,
        baseline={"balanced accuracy": strongest.chance},
        inside={"balanced accuracy": strongest.balanced_accuracy},
        statistics={
            "p": strongest.p,
            "told": float(right),
            "columns": ", ".join(each.column for each in group),
        },
    )


def _left_out(names: list[str], labels: Labels) -> str:
    if not names:
        return ""
    return (
        f" Left out, since {'they say' if len(names) > 1 else 'it says'} what the label ({labels.source}) is by"
        f" definition: {first_of(names)}."
    )
