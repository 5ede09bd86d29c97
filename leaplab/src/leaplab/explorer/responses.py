"""Answers as the routes send them."""

import asyncio
from typing import Any

import msgspec
from fastapi import Request, Response
from starlette.exceptions import HTTPException

GONE = 0.25
"""Seconds after which it is noticed that who waits for an answer has gone."""


def json_response(value: Any) -> Response:
    """A value as JSON that is not to be kept; what is not finite is null, since JSON has no word for it."""
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"})


async def awaited(request: Request, waiting: "asyncio.Future[Any]", what: str) -> Any:
    """What is waited for, unless who asked for it goes away meanwhile.

    Args:
        request: of who asks.
        waiting: for it.
        what: that is, in a word.

    Raises:
        HTTPException: nobody waits any more.
    """
    try:
        while not (await asyncio.wait({waiting}, timeout=GONE))[0]:
            if await request.is_disconnected():
                raise HTTPException(499, f"Nobody waits for this {what} any more.")
        return waiting.result()
    finally:
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
