"""The answering side of a session."""

import inspect
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.project.locate import Project
from leaplab.worker.messages import Call, Done, Failed, Item


def serve(connection: "Connection[Any, Any]", project: Project, model: Path | None, wiring: Path | None) -> None:
    """Bind the integration, say so, then answer calls until the other side closes the pipe."""
    try:
        from leaplab.worker.integration import Integration

        integration = Integration(project, model, wiring)
        connection.send(Done(None))
    except BaseException as error:
        connection.send(_failed(error))
        return
    while True:
        try:
            call: Call = connection.recv()
        except EOFError:
            return
        try:
            result = call.function(integration, *call.arguments)
            if inspect.isgenerator(result):
                for item in result:
                    connection.send(Item(item))
                result = None
            connection.send(Done(result))
        except BrokenPipeError:
            return  # the caller went away in the middle of a stream
        except Exception as error:
            connection.send(_failed(error))


def _failed(error: BaseException) -> Failed:
    mendable = isinstance(error, LeaplabError)
    message = str(error) if mendable else f"{type(error).__name__}: {error}"
    return Failed(message, mendable, traceback.format_exc())
