"""The wiring of an integration that has no integration test: `--wiring FILE.yaml`, read as YAML.

What may stand in it, `leaplab.worker.written_wiring` says, where the names have their meaning.
"""

from pathlib import Path

import yaml

from leaplab.errors import LeaplabError
from leaplab.protocol.binding import WiringOrder


def read_wiring_file(path: Path) -> WiringOrder:
    """The file's content.

    Raises:
        LeaplabError: it cannot be read, is no YAML, or is no mapping.
    """
    file = path.expanduser().resolve()
    try:
        content = (
            yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader) or {}
        )  # names are text, whatever they look like
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LeaplabError(f"The wiring file {file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise LeaplabError(f"{file} must map losses, metrics, visualizers or model_inputs to what they hold.")
    return WiringOrder(str(file), content)
