"""Write the OpenAPI document that the page's types are made of: `python -m leaplab.explorer FILE`."""

import sys
from pathlib import Path

from leaplab.explorer.application import openapi_document
from leaplab.files import write_json

write_json(Path(sys.argv[1]), openapi_document())
