"""Rules of preprocess: states and sample ids."""

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.check.rules.source import no_length
from leaplab.protocol.observations import Topic

PREPROCESS = ("tensorleap_preprocess", "tensorleap_element_instance_preprocess")


def _place(evidence: Evidence) -> str:
    functions = [function for decorator in PREPROCESS for function in evidence.source.of(decorator)]
    return functions[0].place if functions else evidence.entry_file


def is_of_ids(message: str) -> bool:
    """Whether code-loader refuses the type of a sample id, in words that do not say whose id it is."""
    return "sample_id should be as the same type as defined" in message


@rule(
    "C51",
    "error",
    "sample ids are unique within a state",
    why="The platform keys everything by the id: of two samples with one id, one is lost.",
    mend="Give each sample an id of its own.",
)
def ids_are_unique(evidence: Evidence) -> Breaches:
    """The first id of each state that occurs twice, or is that of an element instance."""
    for observation in evidence.observed(Topic.IDS_TWICE):
        yield _place(evidence), observation.text


@rule(
    "C52",
    "warning",
    "states share no sample ids",
    why="A sample that is in training and in validation is a leak; two samples of one id are easily mixed up.",
    mend="Begin the id with the state's name, or take the sample out of one state.",
)
def states_share_no_ids(evidence: Evidence) -> Breaches:
    """Of string ids: numbers are positions, and always shared."""
    for observation in evidence.observed(Topic.IDS_SHARED):
        yield _place(evidence), observation.text


@rule(
    "C53",
    "warning",
    "sample ids are strings",
    why="A number is a position, and means another sample as soon as the data grows.",
    mend="Return strings that stay with the sample, its file name for instance.",
)
def ids_are_strings(evidence: Evidence) -> Breaches:
    """Where `length=` makes them numbers, C23 says so."""
    if not list(no_length(evidence)):
        for observation in evidence.observed(Topic.IDS_INTEGERS):
            yield _place(evidence), observation.text


@rule(
    "C65",
    "error",
    "preprocess returns training and validation, and no state without samples",
    why="It is the first thing that the platform calls: without it there are no samples.",
    mend="Return a list of PreprocessResponse, one for each state that holds samples.",
)
def preprocess_works(evidence: Evidence) -> Breaches:
    """What it raises, or code-loader says of what it returns."""
    error = evidence.local.report.get("preprocess_error")
    if error and not evidence.is_lack(error["message"]):
        yield error["place"] or _place(evidence), f"{error['type']}: {error['message'][:400]}"
    if empty := evidence.empty_states:
        states, hold = f"{' and '.join(empty)}", "hold" if len(empty) > 1 else "holds"
        told = f"{states} {hold} no samples, and code-loader asks each state for its first one"
        yield _place(evidence), f"{told}: return only states that hold some"


@rule(
    "C66",
    "error",
    "sample ids have at most 256 characters",
    why="The platform stores them in columns of that width, and refuses longer ones.",
    mend="Shorten them: a path relative to the data root, or a hash of it.",
)
def ids_are_short(evidence: Evidence) -> Breaches:
    """code-loader's own check."""
    for _, text in evidence.failures(Topic.IDS_LONG):
        yield _place(evidence), text


@rule(
    "C67",
    "error",
    "preprocess gives the same ids each time",
    why="Every worker of the platform calls it anew, and they tell each other samples by their ids.",
    mend="Sort what a folder lists, and seed every random choice.",
)
def ids_are_reproducible(evidence: Evidence) -> Breaches:
    """Between two processes; the order counts, for samples are also counted."""
    for state, told in evidence.local.report.get("ids", {}).items():
        if evidence.probe is not None and tuple(told) != evidence.probe.ids.get(state, tuple(told)):
            yield _place(evidence), f"Two processes got different sample ids of {state}, or another order of them"


@rule(
    "C97",
    "warning",
    "sample ids are plain str or int, in a list, tuple or range",
    why="code-loader 1.0.215 and newer refuse arrays and series, and ids that are bool or of numpy's types.",
    mend="Convert them: df.index.tolist(), or [str(name) for name in names].",
)
def ids_are_plain(evidence: Evidence) -> Breaches:
    """Of each state; and what the integration test says of its first id."""
    found = list(evidence.observed(Topic.IDS_TYPE))
    for observation in found:
        yield _place(evidence), observation.text
    error = evidence.local.report.get("test_error")
    if error and not found and is_of_ids(error["message"]):
        kind = error["message"].rpartition("Got ")[2].strip("<>. ").removeprefix("class ").strip("'")
        yield _place(evidence), f"The first sample id is of the type {kind}, which the integration test does not take"
