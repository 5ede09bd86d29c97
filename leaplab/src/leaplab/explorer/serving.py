"""The explorer's socket and its address."""

import errno
import ipaddress
import socket

from leaplab.errors import LeaplabError


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        LeaplabError: the port is in use or not allowed, or the host is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise LeaplabError(
                f"Port {port} of {host} is in use; choose another by --port, or --port 0 for a free one."
            ) from error
        reason = error.strerror or str(error)
        raise LeaplabError(f"Cannot listen on {host}:{port} ({reason}); choose another --host or --port.") from error
    return listening


def is_loopback(host: str) -> bool:
    """Whether none but this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address_of(host: str, port: int, token: str | None) -> str:
    """The address to open: of a server that listens everywhere, by this machine's name."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + ("" if token is None else f"?token={token}")
