"""Write the OpenAPI document that the page's types are made of: `python -m leaplab.explorer FILE`."""

import sys
from pathlib import Path

from leaplab.files import write_json
from leaplab.report.types import types_document

write_json(Path(sys.argv[1]), types_document())
