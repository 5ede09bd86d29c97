"""The answering side of a session."""

from __future__ import annotations

import inspect
import os
import resource
import signal
import socket
import traceback
from functools import partial

from leaplab.errors import LeaplabError
from leaplab.protocol.binding import BindOrder, Bound
from leaplab.protocol.wire import Call, Close, Done, Failed, Imported, Item, receive, send
from leaplab.worker.whereabouts import share


def serve(descriptor: int, memory: int) -> None:
    """Bind the integration that the first message names, say so, then answer calls until the other side closes.

    Args:
        descriptor: of the socket that leads to the lab.
        memory: descriptor of the file that tells the lab where this process is, see `leaplab.protocol.whereabouts`.
    """
    share(memory, descriptor)
    try:
        with socket.socket(fileno=descriptor) as connection:
            _converse(connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The lab is gone, or waits for no answer any more: it may be that nobody else ends what was started here.
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)


def _converse(connection: socket.socket) -> None:
    say = partial(send, connection.sendall)
    hear = partial(receive, partial(_fill, connection))
    order: BindOrder = hear()
    _limit_memory(order.memory)
    try:
        from leaplab.worker.integration import Integration
        from leaplab.worker.operations import FUNCTIONS

        integration = Integration(order, imported=lambda: say(Imported()))
        say(Done(Bound(integration.notices(), integration.code_loader.version)))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except BaseException as error:
        say(_failed(error))
        return
    while True:
        call: Call | Close = hear()
        if isinstance(call, Close):
            return
        try:
            result = FUNCTIONS[call.operation](integration, call.argument)
            if inspect.isgenerator(result):
                for item in result:
                    say(Item(item))
                result = None
            say(Done(result))
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:
            say(_failed(error))


def _limit_memory(size: int | None) -> None:
    if size is not None:
        # What is allocated, not the address space, of which frameworks reserve far more than they use.
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def _fill(connection: socket.socket, target: memoryview) -> None:
    while len(target):
        count = connection.recv_into(target)
        if not count:
            raise EOFError
        target = target[count:]


def _failed(error: BaseException) -> Failed:
    mendable = isinstance(error, LeaplabError)
    message = str(error) if mendable else f"{type(error).__name__}: {error}"
    return Failed(message, mendable, traceback.format_exc())
