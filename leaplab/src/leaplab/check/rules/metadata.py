"""Rules of metadata."""

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.protocol.observations import Topic


@rule(
    "C62",
    "warning",
    "absent metadata is None, not NaN",
    why="code-loader takes NaN for absent, but it turns up as a value wherever it is not asked.",
    mend="Return None, and declare the metadata's type.",
)
def absent_is_none(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    yield from evidence.seen(Topic.METADATA_NAN)


@rule(
    "C63",
    "warning",
    "absent metadata is None, not a made-up value",
    why="-1 or 'None' is a value like others on every chart, and moves every mean.",
    mend="Return None, and declare the metadata's type.",
)
def absent_is_not_made_up(evidence: Evidence) -> Breaches:
    """-1 beside numbers that are never negative; 'None', 'unknown' and the like beside other texts."""
    yield from evidence.seen(Topic.METADATA_FAKE)


@rule(
    "C64",
    "error",
    "a metadata dictionary has the same keys on every sample",
    why="Columns are fixed by the first sample: another key fails, a missing one is lost.",
    mend="Return every key each time, with None where it is absent.",
)
def metadata_keys_are_fixed(evidence: Evidence) -> Breaches:
    """Keys that are missing, and keys that the first sample has not."""
    yield from evidence.seen(Topic.METADATA_KEYS)
    yield from evidence.failures(Topic.METADATA_KEYS)


@rule(
    "C68",
    "error",
    "at most 99 metadata functions and 799 values",
    why="The platform refuses more.",
    mend="Return dictionaries instead of single values; leave out what nobody looks at.",
)
def metadata_is_limited(evidence: Evidence) -> Breaches:
    """code-loader's own check."""
    for _, text in evidence.failures(Topic.METADATA_LIMITS):
        yield evidence.entry_file, text


@rule(
    "C69",
    "error",
    "metadata is a number, text, truth value or None, or a flat dictionary of them",
    why="Anything else, a list or an array for one, fits in no column.",
    mend="Return float(...), int(...), str(...) or bool(...) of one value, as it is declared.",
)
def metadata_is_flat(evidence: Evidence) -> Breaches:
    """The type that is returned, and an int that is declared."""
    yield from evidence.failures(Topic.METADATA_TYPE)


@rule(
    "C86",
    "error",
    "metadata that can be None declares its type",
    why="Otherwise its type is read off the first sample, and fails where that has none.",
    mend="Give the decorator a DatasetMetadataType (or a dictionary of them, for a dictionary).",
)
def absent_metadata_is_declared(evidence: Evidence) -> Breaches:
    """On a first sample, where it fails, or on another."""
    yield from evidence.failures(Topic.METADATA_UNDECLARED)
    yield from evidence.seen(Topic.METADATA_UNDECLARED)


@rule(
    "C90",
    "error",
    "domain-gap metadata exists",
    why="`leap_analysis_configuration.domain_gap_metadata` names the columns whose values are domains.",
    mend="Name the metadata as it is registered; a dictionary's keys are handler_key.",
)
def domains_exist(evidence: Evidence) -> Breaches:
    """code-loader's own check."""
    for _, text in evidence.failures(Topic.METADATA_DOMAIN):
        yield evidence.entry_file, text


@rule(
    "C95",
    "error",
    "a number or truth value is no text",
    why="code-loader takes every text but the empty one for true, 'False' too, and text that is no number for absent.",
    mend="Return value == 'True' for a truth value read off a file, float(...) or int(...) for a number.",
)
def values_are_no_texts(evidence: Evidence) -> Breaches:
    """Texts in a column of truth values, and such in one of numbers that are none; on the samples looked at."""
    yield from evidence.seen(Topic.METADATA_TEXT)


@rule(
    "C96",
    "warning",
    "whole numbers of metadata are at most 2**53",
    why="The platform reads numbers as doubles: nanoseconds and 64-bit hashes that lie close together become the same.",
    mend="Return seconds since a day of the data, or a hash as text.",
)
def integers_are_exact(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    yield from evidence.seen(Topic.METADATA_LARGE)
