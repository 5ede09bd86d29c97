"""Where the images of totes lie -> what each shows -> one PreprocessResponse per state."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from armbench_segmentation.config import ArmbenchConfig
from armbench_segmentation.data.coco import CocoFile, Instances, ListedImage, decode, read_annotated, read_images
from data_access.errors import DataError
from data_access.images import read_image
from data_access.root import data_root
from data_access.sampling import limit

LONGEST_ID = 240
"""Characters of a sample id: Tensorleap allows 256, and the number of an object is yet to follow."""
LONGEST_SHOWN = 60

STATES = (DataStateType.training, DataStateType.validation, DataStateType.unlabeled)


class Totes:
    """The images of one state, read from their files when they are asked for; of the unlabeled, this is all there is.

    All that takes a sample id also takes that of one of its objects, and means its image: where each object is a
    sample of its own, code-loader calls object 3 of `NAME_17` `NAME_17_3`.

    Attributes:
        ids: sample ids, `NAME_17` for the image with the id 17 of NAME.json.
        images: where they lie.
    """

    def __init__(self, source: Path, images: Path, listed: Sequence[ListedImage]) -> None:
        self._source = source
        self.images = images
        self._listed = {_sample_id(source, image): image for image in listed}
        self.ids = tuple(self._listed)

    def image(self, sample_id: str) -> NDArray[np.uint8]:
        """[H, W, 3] uint8, RGB, not to be written to.

        Raises:
            DataError: the file is missing, cannot be read, is no image, or has another size than the annotations tell.
        """
        path = self.origin(sample_id)
        if not path.exists():
            raise DataError(f"{path} is missing, though {self._source} lists it: put the image there.")
        # Masks are of the pixels as the file has them.
        pixels = read_image(path, turned=False)
        width, height = self.size(sample_id)
        if pixels.shape != (height, width, 3):
            raise DataError(
                f"{path} is {pixels.shape[1]} x {pixels.shape[0]} pixels, but {self._source} tells {width} x {height}: "
                "its masks would not fit; put the image there that was annotated."
            )
        return pixels

    def objects(self, sample_id: str) -> Instances | None:
        """What lies in the tote, and the tote: not known."""
        return None

    def count(self, sample_id: str) -> int:
        """How many objects a model is to find, the tote among them, without a look at their masks."""
        return 0

    def unusable(self, sample_id: str) -> int | None:
        """How many of its annotations were left out, see `armbench_segmentation.data.coco`; None where not known."""
        return None

    def origin(self, sample_id: str) -> Path:
        """The file of the image."""
        listed = self._entry(sample_id)
        relative = PurePosixPath(listed.file_name)
        if relative.is_absolute() or ".." in relative.parts:
            raise DataError(
                f"{self._source}: image {listed.id} has the file name {listed.file_name!r}, which leads out of "
                f"{self.images}: name files below it."
            )
        return self.images / relative

    def file_name(self, sample_id: str) -> str:
        """The name of the image as the annotations have it."""
        return self._entry(sample_id).file_name

    def size(self, sample_id: str) -> tuple[int, int]:
        """Width and height of the image, in pixels."""
        listed = self._entry(sample_id)
        return listed.width, listed.height

    def _image_of(self, sample_id: str) -> str:
        return sample_id if sample_id in self._listed else sample_id.rpartition("_")[0]

    def _entry(self, sample_id: str) -> ListedImage:
        return self._listed[self._image_of(sample_id)]


class AnnotatedTotes(Totes):
    """Images with the masks of what they show."""

    def __init__(self, content: CocoFile, images: Path) -> None:
        super().__init__(content.path, images, content.images)
        self._content = content
        self._latest_objects: tuple[str, Instances] | None = None

    def objects(self, sample_id: str) -> Instances:
        """What lies in the tote, the tote, and groups of objects that were not told apart."""
        sample_id = self._image_of(sample_id)
        latest = self._latest_objects
        if latest is None or latest[0] != sample_id:
            listed = self._entry(sample_id)
            found = decode(listed, self._content.annotations.get(listed.id, ()))
            latest = self._latest_objects = sample_id, found
        return latest[1]

    def count(self, sample_id: str) -> int:
        annotations = self._content.annotations.get(self._entry(sample_id).id, ())
        return sum(not annotation.crowd for annotation in annotations)

    def unusable(self, sample_id: str) -> int:
        return self._content.unusable.get(self._entry(sample_id).id, 0)


def load_state(config: ArmbenchConfig, state: DataStateType) -> Totes:
    """The images of a state, as many as the config's limit lets through.

    Raises:
        DataError: the annotations are missing or damaged, see `armbench_segmentation.data.coco`.
    """
    dataset = config.dataset
    part = getattr(dataset, state.name)
    folder = data_root() / dataset.folder
    source, images = folder / part.annotations, folder / part.images

    def choose(listed: list[ListedImage]) -> list[ListedImage]:
        by_id = {_sample_id(source, image): image for image in listed}
        if too_long := [sample_id for sample_id in by_id if len(sample_id) > LONGEST_ID]:
            raise DataError(
                f"{source}: the sample id {too_long[0][:LONGEST_SHOWN]}... has {len(too_long[0])} characters, where "
                f"{LONGEST_ID} are the most: shorten the image's id."
            )
        kept = limit(list(by_id), getattr(config.sample_limit, state.name), config.seed)
        return [by_id[sample_id] for sample_id in kept]

    if state is DataStateType.unlabeled:
        return Totes(source, images, choose(read_images(source)))
    content = read_annotated(source, config.classes, choose, dataset.crowd_is_instance)
    return AnnotatedTotes(content, images)


def preprocess_responses(config: ArmbenchConfig) -> list[PreprocessResponse]:
    """One response per state; `data` is `Totes`, sample ids are strings."""
    responses = []
    for state in STATES:
        totes = load_state(config, state)
        responses.append(PreprocessResponse(data=totes, sample_ids=list(totes.ids), state=state))
    return responses


def _sample_id(source: Path, image: ListedImage) -> str:
    return f"{source.stem}_{image.id}"
