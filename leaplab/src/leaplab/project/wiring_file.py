"""The wiring of an integration that has no integration test: `--wiring FILE.yaml`, or its own mapping file.

What may stand in a wiring file, `leaplab.worker.written_wiring` says, where the names have their meaning; a mapping
file, see `leaplab.project.mapping_file`, is read into the same.
"""

from pathlib import Path
from typing import Any

import yaml

from leaplab.errors import LeaplabError
from leaplab.project.mapping_file import is_mapping, own_mapping, wiring_of
from leaplab.protocol.binding import WiringOrder

OF_MAPPING = ("layers", "left_out", "inputs_of_model")
"""What the wiring of a mapping file holds beside what a person writes."""


def read_wiring_file(path: Path) -> WiringOrder:
    """The file's content.

    Raises:
        LeaplabError: it cannot be read, is no YAML, or is no mapping.
    """
    file = path.expanduser().resolve()
    try:
        # Names are text, whatever they look like.
        content: Any = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader) or {}
        if isinstance(content, str):  # a mapping file may be one block of text that holds the whole
            content = yaml.load(content, yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LeaplabError(f"The wiring file {file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise LeaplabError(f"{file} must map losses, metrics, visualizers or model_inputs to what they hold.")
    if is_mapping(content):
        return WiringOrder(str(file), wiring_of(content))
    if written := set(content) & set(OF_MAPPING):
        raise LeaplabError(f"{file}: {', '.join(sorted(written))} is not losses, metrics, visualizers or model_inputs.")
    return WiringOrder(str(file), content)


def own_wiring(root: Path) -> WiringOrder | None:
    """The wiring that an integration's mapping file tells, for one that has no integration test.

    One that cannot be read, or that is no mapping file after all, is as good as none: it may be of no use any more.
    """
    path = own_mapping(root)
    if path is None:
        return None
    try:
        order = read_wiring_file(path)
    except LeaplabError:
        return None
    return order if "layers" in order.content else None
