"""Rules of encoders, latent spaces and simulations: what the probe and the platform saw of them."""

import re

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.check.failures import topic_of
from leaplab.protocol.observations import Topic


@rule(
    "C54",
    "error",
    "encoders and metadata functions raise on no sample",
    why="On the platform the sample is lost, or the evaluation ends there.",
    mend="Handle that sample: clean it out in preprocess, or return what it has.",
)
def handlers_do_not_raise(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    yield from evidence.failures(Topic.HANDLER_RAISES)


@rule(
    "C55",
    "error",
    "encoders return float32",
    why="The platform refuses another dtype.",
    mend="Return array.astype(np.float32).",
)
def encoders_return_float32(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    no_arrays = {place for place, _ in encoders_return_arrays(evidence)}
    for place, text in evidence.seen(Topic.ENCODER_DTYPE):
        if place not in no_arrays:
            yield place, text


@rule(
    "C56",
    "error",
    "an encoder's shape is the same on every sample",
    why="Samples are stacked into batches.",
    mend="Resize or pad to one shape.",
)
def shapes_are_fixed(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    yield from evidence.seen(Topic.ENCODER_SHAPE)


@rule(
    "C57",
    "error",
    "inputs are finite",
    why="One NaN in an input makes the whole prediction NaN.",
    mend="Replace or drop what is not finite when the sample is read.",
)
def inputs_are_finite(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    yield from evidence.seen(Topic.ENCODER_FINITE)


@rule(
    "C58",
    "warning",
    "an input differs between samples",
    why="An input that never changes is usually a file that was not found, or an index that is not used.",
    mend="Look at what the encoder reads; remove the input if it really is constant.",
)
def inputs_vary(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    yield from evidence.seen(Topic.ENCODER_CONSTANT)


@rule(
    "C59",
    "error",
    "encoders and metadata functions are deterministic",
    why="A sample is encoded again for each page that shows it; two answers make its scores and pictures disagree.",
    mend="Seed every random choice by the sample id, or take augmentation out of the encoder.",
)
def handlers_are_deterministic(evidence: Evidence) -> Breaches:
    """Between two calls."""
    yield from evidence.seen(Topic.HANDLER_RANDOM)


@rule(
    "C60",
    "error",
    "an input has no batch axis",
    why="Tensorleap adds it: an axis of 1 in front becomes (1, 1, ...), which the model does not take.",
    mend="Return one sample without a batch axis.",
)
def inputs_are_unbatched(evidence: Evidence) -> Breaches:
    """Only where the model runs without that axis: an axis of 1 may be a single channel."""
    yield from evidence.seen(Topic.ENCODER_BATCHED)


@rule(
    "C61",
    "warning",
    "ground truth survives float16",
    why="The platform stores tensors as float16: 2049 becomes 2048.",
    mend="Scale coordinates to [0, 1], and keep large ids in the metadata.",
)
def ground_truth_survives_float16(evidence: Evidence) -> Breaches:
    """No value beyond 2048."""
    yield from evidence.seen(Topic.GROUND_TRUTH_FLOAT16)


@rule(
    "C87",
    "error",
    "an encoder returns one array",
    why="A list, a tuple, a tensor or None is refused.",
    mend="Return one numpy array; declare an encoder of its own for each of several.",
)
def encoders_return_arrays(evidence: Evidence) -> Breaches:
    """code-loader's own check in the integration test; elsewhere it makes arrays of lists."""
    yield from evidence.failures(Topic.ENCODER_ARRAY)


@rule(
    "C88",
    "error",
    "custom latent spaces keep to the limits",
    why="The platform takes at most 10, each at most 4096 wide, of real numbers.",
    mend="Average or project wide ones (reduce=LatentSpaceReduction...), and leave some out.",
)
def latent_spaces_are_limited(evidence: Evidence) -> Breaches:
    """What code-loader raises when they are registered or computed."""
    error = evidence.local.report.get("error")
    if error and topic_of(error["message"]) is Topic.LATENT:
        yield error["place"] or evidence.entry_file, error["message"]
    for place, text in evidence.failures(Topic.LATENT):
        spaces = [
            evidence.source.place(name, "tensorleap_custom_latent_space") for name in re.findall("'([^']+)'", text)
        ]
        yield next((found for found in spaces if ":" in found), place or evidence.entry_file), text


@rule(
    "C89",
    "error",
    "simulations work, and depend on nothing but their parameters and seed",
    why="The platform generates the samples again wherever it needs them, and encodes them by position.",
    mend="Return a PreprocessResponse of N samples that encoders can read, and draw by np.random.default_rng(seed).",
)
def simulations_work(evidence: Evidence) -> Breaches:
    """code-loader's own check, and two runs of each."""
    yield from list(evidence.failures(Topic.SIMULATION))[:1] or evidence.seen(Topic.SIMULATION)


@rule(
    "C93",
    "error",
    "the mask of an element instance is an image of finite numbers",
    why="The platform cuts the instance out of the sample's inputs by its mask.",
    mend="Return a mask in the shape of the input that is 1 where the instance is and 0 elsewhere.",
)
def masks_are_masks(evidence: Evidence) -> Breaches:
    """On the samples looked at."""
    yield from evidence.failures(Topic.INSTANCE_MASK)


@rule(
    "C94",
    "warning",
    "the mask of an element instance has the shape of an input",
    why="The platform cuts the instance out of the sample's inputs by its mask: another shape does not fit them.",
    mend="Make the mask like what the input encoder returns: np.zeros_like(image).",
)
def masks_fit_an_input(evidence: Evidence) -> Breaches:
    """With its channels or without; on the samples looked at."""
    yield from evidence.seen(Topic.INSTANCE_SHAPE)


@rule(
    "C91",
    "warning",
    "leaplab can try the handlers on samples",
    why="Without that, only the first sample of each state was looked at.",
    mend="Nothing here fails a push: the sentence says what leaplab cannot do yet.",
    fallback=True,
)
def handlers_were_tried(evidence: Evidence) -> Breaches:
    """Where nothing else explains why not."""
    told = list(evidence.problems("check")) or evidence.is_lack(evidence.probe_error)
    if evidence.probe_error and not told:
        yield evidence.entry_file, evidence.probe_error
