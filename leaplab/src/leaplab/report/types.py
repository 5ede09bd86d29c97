"""What the page's types are made of: the explorer's document, with what a report is given."""

from typing import Any

from pydantic.json_schema import models_json_schema

from leaplab.explorer.application import openapi_document
from leaplab.report.model import Report


def types_document() -> dict[str, Any]:
    """The explorer's OpenAPI document, its schemas completed by those of a report."""
    document = openapi_document()
    _, told = models_json_schema([(Report, "serialization")], ref_template="#/components/schemas/{model}")
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = told["$defs"] | schemas
    return document
