"""A local SQS/S3 endpoint: moto's server, with a long poll that does not give messages to clients that are gone.

Stock local servers answer the open ReceiveMessage of a killed worker with the next message, which then stays hidden
for a whole visibility timeout. Run it as `python moto_dev.py -H 127.0.0.1 -p PORT`.
"""

import select
import socket
import sys

import flask
from moto.server import main
from moto.sqs import models

_wait_for_messages = models.Queue.wait_for_messages


class ClientGone(Exception):  # noqa: N818 - it ends the request, nobody reads the answer
    """The peer closed its connection while it was waiting for messages."""


def _client_is_gone() -> bool:
    if not flask.has_request_context():
        return False
    connection = flask.request.environ.get("werkzeug.socket")
    if connection is None:
        return False
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def wait_for_messages(queue: models.Queue, timeout: int) -> None:
    _wait_for_messages(queue, timeout)
    if _client_is_gone():
        raise ClientGone


models.Queue.wait_for_messages = wait_for_messages

if __name__ == "__main__":
    main(sys.argv[1:])
