"""Rules of preprocess: states and sample ids."""

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.check.rules.source import no_length

PREPROCESS = ("tensorleap_preprocess", "tensorleap_element_instance_preprocess")


def _place(evidence: Evidence) -> str:
    functions = [function for decorator in PREPROCESS for function in evidence.source.of(decorator)]
    return f"{functions[0].file}:{functions[0].line}" if functions else evidence.entry_file


@rule(
    "C51",
    "error",
    "sample ids are unique within a state",
    why="The platform keys everything by the id: of two samples with one id, one is lost.",
    mend="Give each sample an id of its own.",
)
def ids_are_unique(evidence: Evidence) -> Breaches:
    """The first id of each state that occurs twice, or is that of an element instance."""
    for observation in evidence.observed("ids.twice"):
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
    for observation in evidence.observed("ids.shared"):
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
        for observation in evidence.observed("ids.integers"):
            yield _place(evidence), observation.text


@rule(
    "C65",
    "error",
    "preprocess returns training and validation",
    why="It is the first thing that the platform calls: without it there are no samples.",
    mend="Return a list of PreprocessResponse, one a state; training and validation must hold samples.",
)
def preprocess_works(evidence: Evidence) -> Breaches:
    """What it raises, or code-loader says of what it returns."""
    error = evidence.local.report.get("preprocess_error")
    if error:
        yield error["place"] or _place(evidence), f"{error['type']}: {error['message'][:400]}"


@rule(
    "C66",
    "error",
    "sample ids have at most 256 characters",
    why="The platform stores them in columns of that width, and refuses longer ones.",
    mend="Shorten them: a path relative to the data root, or a hash of it.",
)
def ids_are_short(evidence: Evidence) -> Breaches:
    """code-loader's own check."""
    for _, text in evidence.failures("ids.long"):
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
