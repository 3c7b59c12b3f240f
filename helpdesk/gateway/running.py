"""Running a gateway on a socket, until it is told to stop."""

from __future__ import annotations

import socket
from types import FrameType

import uvicorn

from helpdesk.gateway.server import Gateway


class Server(uvicorn.Server):
    """A server whose listeners are let go of as soon as it is told to stop.

    Args:
        gateway: Answers.
        certificate: A file with the certificate to answer with; empty for none.
        key: A file with its key.
    """

    def __init__(self, gateway: Gateway, *, certificate: str = "", key: str = "") -> None:
        self._gateway = gateway
        super().__init__(
            uvicorn.Config(
                gateway.app(),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ssl_certfile=certificate or None,
                ssl_keyfile=key or None,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=20,
                h11_max_incomplete_event_size=32_768,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, after what is under way."""
        self._gateway.end()
        super().handle_exit(sig, frame)


def run(server: Server, listener: socket.socket) -> None:
    """Answer at a socket until SIGINT or SIGTERM; blocking."""
    server.run([listener])
