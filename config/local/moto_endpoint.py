"""The local SQS (and, in the tests, S3) endpoint as a program: moto's server, bound to this machine alone unless told
otherwise (in a container, which others reach by its name).

Run as `python -m config.local.moto_endpoint PORT [HOST]`. Its messages live in memory: after a stop, the relay sends
the unfinished work again (`manage.py relay --recover`).
"""

import logging
import select
import socket
import sys

import flask
from moto.server import main
from moto.sqs import models

_wait_for_messages = models.Queue.wait_for_messages


class ClientGoneError(Exception):
    """The client of a long poll hung up while it waited."""


def _client_is_gone() -> bool:
    if not flask.has_request_context():
        return False
    connection: socket.socket | None = flask.request.environ.get("werkzeug.socket")
    if connection is None:
        return False
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _wait_while_client_listens(queue: models.Queue, timeout: int) -> None:
    """Moto hands the next message to a client that has gone: lost to all others for a visibility timeout."""
    _wait_for_messages(queue, timeout)
    if _client_is_gone():
        raise ClientGoneError


def serve(port: str, host: str = "127.0.0.1") -> None:
    models.Queue.wait_for_messages = _wait_while_client_listens
    # One line per request, twenty requests a minute and worker: nobody reads that.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    main(["-H", host, "-p", port])


if __name__ == "__main__":
    serve(*sys.argv[1:])
