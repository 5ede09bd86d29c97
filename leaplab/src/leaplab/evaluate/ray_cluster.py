"""A Ray cluster to evaluate on: one that runs already, or one of this machine alone."""

import io
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

from leaplab.errors import LeaplabError

ANSWER = 5.0
"""Seconds that a cluster has to take a connection."""


@dataclass(frozen=True)
class Cluster:
    """What there is to evaluate with.

    Attributes:
        cores: of all nodes together, as they are now.
        nodes: their number.
    """

    cores: int
    nodes: int


@contextmanager
def connected(address: str | None = None) -> Iterator[Cluster]:
    """A cluster, within the block; this process may be connected to it already, and stays so then.

    Args:
        address: HOST:PORT of its head; None takes the one that RAY_ADDRESS names, else the one that was started on this
            machine, else starts one here that ends with the block.

    Raises:
        LeaplabError: Ray is not installed, or no cluster is there.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise LeaplabError(
            "--runner ray needs Ray, which is not installed here; install it by `pip install 'leaplab[ray]'`."
        ) from None
    if ray.is_initialized():
        yield _seen()
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    _require_an_answer(address)
    # Ray tells of a worker that was lost by a page of text on the standard output, where --json has its object.
    with redirect_stdout(io.StringIO()):
        try:
            ray.init(
                address=address,
                include_dashboard=False,
                configure_logging=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            reason = str(error).strip().splitlines()[0]
            raise LeaplabError(
                f"Ray cannot be reached at {address or 'this machine'} ({reason}); see whether it runs by `ray status`."
            ) from error
        try:
            yield _seen()
        finally:
            ray.shutdown()


def _seen() -> Cluster:
    import ray

    alive = [node for node in ray.nodes() if node["Alive"]]
    return Cluster(max(1, int(ray.cluster_resources().get("CPU", 1))), len(alive))


def _require_an_answer(address: str | None) -> None:
    """Ray itself asks for minutes.

    Raises:
        LeaplabError: nothing listens there.
    """
    host, _, port = (address or "").rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER).close()
    except OSError as error:
        raise LeaplabError(
            f"No Ray answers at {address} ({error.strerror or error}); start one by `ray start --head`, or correct it."
        ) from None
