"""Why there is no answer, as a browser is told (RFC 9457)."""

from http import HTTPStatus

from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str) -> JSONResponse:
    """A problem with a sentence for a person."""
    content = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content, status, media_type=MEDIA_TYPE)
