"""Rules of the model, losses, metrics and visualizers."""

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.check.failures import place_in
from leaplab.protocol.observations import Topic


def _of_handler(evidence: Evidence, decorator: str, *topics: Topic) -> Breaches:
    """By the line that raised, else by that of the handler: a loss and a metric may share a name."""
    for observation in evidence.observed(*topics):
        yield place_in(observation.text) or evidence.source.place(observation.name, decorator), observation.text


def _of_loader(evidence: Evidence, *topics: Topic) -> Breaches:
    loaders = evidence.source.of("tensorleap_load_model")
    place = loaders[0].place if loaders else evidence.entry_file
    for observation in evidence.observed(*topics):
        if not evidence.is_lack(observation.text):
            yield place, observation.text


@rule(
    "C70",
    "error",
    "the model loads",
    why="Without it the integration test fails, and leaplab cannot evaluate.",
    mend="Mend the file that it is read from, and return a Keras model or an onnxruntime InferenceSession.",
)
def model_loads(evidence: Evidence) -> Breaches:
    yield from _of_loader(evidence, Topic.MODEL_LOAD)


@rule(
    "C71",
    "error",
    "the model runs on what the encoders give",
    why="Input order, shape or layout differ between the encoders and the model.",
    mend="Compare the encoders' shapes with the model's inputs, in the order of the integration test.",
)
def model_runs(evidence: Evidence) -> Breaches:
    yield from _of_loader(evidence, Topic.MODEL_RUN)


@rule(
    "C72",
    "error",
    "one prediction type for each model output",
    why="The platform maps outputs to prediction types by position.",
    mend="Declare one PredictionTypeHandler for every output, in the model's order.",
)
def prediction_types_match(evidence: Evidence) -> Breaches:
    yield from _of_loader(evidence, Topic.MODEL_OUTPUTS)


@rule(
    "C73",
    "error",
    "a prediction type has as many labels as channels",
    why="Labels are read along channel_dim of the output, whose first axis is the batch.",
    mend="Correct the labels or channel_dim; export the model with a batch axis in front.",
)
def labels_match(evidence: Evidence) -> Breaches:
    yield from _of_loader(evidence, Topic.MODEL_LABELS, Topic.MODEL_BATCH)


@rule(
    "C74",
    "error",
    "predictions are finite",
    why="NaN in a prediction makes its losses and metrics NaN.",
    mend="Look at the model's weights and at the range of its inputs.",
)
def predictions_are_finite(evidence: Evidence) -> Breaches:
    yield from _of_loader(evidence, Topic.MODEL_FINITE)


@rule(
    "C75",
    "error",
    "there is a loss",
    why="The platform needs one to push.",
    mend="Decorate a function of ground truth and prediction with tensorleap_custom_loss and call it.",
)
def there_is_a_loss(evidence: Evidence) -> Breaches:
    if evidence.probe is not None and evidence.probe.has_integration_test and evidence.probe.losses == 0:
        declared = any(f.decorator == "tensorleap_custom_loss" for f in evidence.source.decorated)
        if evidence.project is not None and not declared:
            yield evidence.project.entry_file, "No loss is declared"


@rule(
    "C76",
    "error",
    "losses run, and give one value a sample",
    why="The platform ranks samples by the loss.",
    mend="Return a 1-D array of the batch's length; reduce over every axis but the first.",
)
def losses_work(evidence: Evidence) -> Breaches:
    yield from _of_handler(evidence, "tensorleap_custom_loss", Topic.LOSS_RAISES)


@rule(
    "C77",
    "error",
    "metrics run, and give one value a sample",
    why="Anything else cannot be laid beside the samples.",
    mend="Return a 1-D array of the batch's length, or a dictionary of such.",
)
def metrics_work(evidence: Evidence) -> Breaches:
    yield from _of_handler(evidence, "tensorleap_custom_metric", Topic.METRIC_RAISES)


@rule(
    "C92",
    "error",
    "instance metrics run, and give one value a sample for each instance number",
    why="Anything else cannot be laid beside the element instances.",
    mend="Return a dictionary: instance number -> 1-D array of the batch's length, NaN where it does not apply.",
)
def instance_metrics_work(evidence: Evidence) -> Breaches:
    yield from _of_handler(evidence, "tensorleap_custom_instances_metric", Topic.INSTANCE_METRIC_RAISES)


@rule(
    "C78",
    "error",
    "a batch gives what single samples give",
    why="The platform chooses the batch size; a mean over it makes each score depend on its neighbours.",
    mend="Reduce over every axis but the first.",
)
def batches_equal_singles(evidence: Evidence) -> Breaches:
    yield from evidence.seen(Topic.SCORE_BATCH)


@rule(
    "C79",
    "error",
    "losses and metrics take float16",
    why="The platform stores tensors as float16 and hands them over so.",
    mend="Cast to float32 at the door: array.astype(np.float32).",
)
def scores_take_float16(evidence: Evidence) -> Breaches:
    yield from evidence.seen(Topic.SCORE_FLOAT16)


@rule(
    "C80",
    "warning",
    "losses and metrics are finite",
    why="A sample whose loss is NaN is missing from every mean and every cluster.",
    mend="Clip what is divided by or taken the logarithm of; return None from a metric that does not apply.",
)
def scores_are_finite(evidence: Evidence) -> Breaches:
    yield from evidence.seen(Topic.SCORE_FINITE)


@rule(
    "C81",
    "error",
    "losses and metrics leave their arguments alone",
    why="The same arrays go to the next handler, which would see what this one wrote.",
    mend="Copy before writing in place.",
)
def arguments_are_left_alone(evidence: Evidence) -> Breaches:
    yield from evidence.seen(Topic.SCORE_MUTATES)


@rule(
    "C82",
    "error",
    "visualizers raise on no sample",
    why="The platform shows nothing for that sample.",
    mend="Handle that sample; a visualizer gets a batch of one.",
)
def visualizers_work(evidence: Evidence) -> Breaches:
    yield from _of_handler(evidence, "tensorleap_custom_visualizer", Topic.VISUALIZER_RAISES)


@rule(
    "C83",
    "error",
    "a visualizer returns what it declares",
    why="The platform draws by the declared LeapDataType.",
    mend="Return the Leap* object of that type.",
)
def visualizers_return_their_type(evidence: Evidence) -> Breaches:
    yield from _of_handler(evidence, "tensorleap_custom_visualizer", Topic.VISUALIZER_TYPE)


@rule(
    "C84",
    "warning",
    "images for people are in 0..255",
    why="The platform truncates floats to integers: an image in [0, 1] comes out black.",
    mend="Multiply by 255 and return uint8.",
)
def images_are_bright(evidence: Evidence) -> Breaches:
    yield from _of_handler(evidence, "tensorleap_custom_visualizer", Topic.VISUALIZER_DARK)


@rule(
    "C85",
    "error",
    "boxes are relative to the image",
    why="BoundingBox takes centre, width and height in [0, 1].",
    mend="Divide x and width by the image's width, y and height by its height.",
)
def boxes_are_relative(evidence: Evidence) -> Breaches:
    yield from _of_handler(evidence, "tensorleap_custom_visualizer", Topic.VISUALIZER_BOX)
