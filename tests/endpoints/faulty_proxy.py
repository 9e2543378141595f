"""A bad day of SQS: an HTTP proxy that forwards requests, or answers them with the fault of the moment."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Fault = tuple[int, bytes]

UNAVAILABLE: Fault = (503, b"service unavailable")
THROTTLED: Fault = (400, b'{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}')
NOT_JSON: Fault = (200, b"<html>captive portal</html>")
STALE_HANDLE: Fault = (400, b'{"__type":"com.amazonaws.sqs#ReceiptHandleIsInvalid","message":"it has expired"}')
DENIED: Fault = (400, b'{"__type":"com.amazonaws.sqs#AccessDenied","message":"not authorized"}')


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: a client that was killed is what the tests are about."""


class FaultyProxy:
    """Forwards to `target`; `during(fault, action)` answers with a fault instead and counts how often it did."""

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        self._target = (str(address.hostname), int(address.port or 80))
        self._fault: Fault | None = None
        self._action = ""
        self.answered = 0
        self.refuses = False
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if proxy.refuses:
                    self.close_connection = True
                    return
                status, answer, content_type = proxy.answer(self.path, body, dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the worker was killed while it waited
                    self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                """Silent: the tests read the workers' logs."""

        self._handler = Handler
        self._server = self._listen(0)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _listen(self, port: int) -> ThreadingHTTPServer:
        server = Server(("127.0.0.1", port), self._handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def answer(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        action = headers.get("X-Amz-Target", "").rpartition(".")[2]
        if self._fault is not None and action == self._action:
            self.answered += 1
            status, answer = self._fault
            return status, answer, "application/x-amz-json-1.0"
        connection = HTTPConnection(*self._target, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read(), reply.headers.get("Content-Type", "")
        except OSError:
            return 502, b"", "text/plain"
        finally:
            connection.close()

    @contextmanager
    def during(self, fault: Fault, action: str) -> Iterator[None]:
        self.answered, self._fault, self._action = 0, fault, action
        try:
            yield
        finally:
            self._fault = None

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens on the port, and connections that are still open end without an answer."""
        self.refuses = True
        self.close()
        try:
            yield
        finally:
            self.refuses = False
            self._server = self._listen(self.port)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
