"""The answering side of a session."""

from __future__ import annotations

import inspect
import os
import resource
import select
import signal
import socket
import threading
import time
import traceback
from functools import partial

from leaplab.errors import LeaplabError
from leaplab.protocol.binding import BindOrder, Bound
from leaplab.protocol.wire import Call, Close, Done, Failed, Imported, Item, receive, send
from leaplab.worker.replaced_functions import replaced_functions
from leaplab.worker.whereabouts import share

GRACE = 3
"""Seconds from the lab's end to that of a process which does not come to its own."""


def serve(descriptor: int, memory: int) -> None:
    """Bind the integration that the first message names, say so, then answer calls until the other side closes.

    Args:
        descriptor: of the socket that leads to the lab.
        memory: descriptor of the file that tells the lab where this process is, see `leaplab.protocol.whereabouts`.
    """
    share(memory, descriptor)
    threading.Thread(target=_end_with_the_lab, args=(descriptor,), daemon=True).start()
    try:
        with socket.socket(fileno=descriptor) as connection:
            _converse(connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The lab is gone, or waits for no answer any more: it may be that nobody else ends what was started here.
        _end_group()


def _end_with_the_lab(descriptor: int) -> None:
    """End this process and what it has started soon after the lab is gone, whatever runs here."""
    hung_up = select.poll()
    hung_up.register(descriptor, 0)
    hung_up.poll()
    time.sleep(GRACE)  # where the lab has closed in good order, this ends by itself
    _end_group()


def _end_group() -> None:
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
    if not mendable and (replaced := replaced_functions()):
        mendable = True
        message = (
            f"leaplab's own work in the integration's process failed ({message}); the integration replaces"
            f" {', '.join(replaced)}: leave these as they are."
        )
    return Failed(message, mendable, traceback.format_exc())
