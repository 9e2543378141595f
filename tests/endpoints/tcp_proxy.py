"""A network that fails: a TCP proxy that carries bytes either way, or refuses and cuts every connection."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_PIECE = 64 * 1024


class TcpProxy:
    """Forwards to `target`, whatever is spoken; `refusing()` is the time in which nobody listens."""

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        self._target = (str(address.hostname), int(address.port or 80))
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens on the port, and what was being carried ends in the middle."""
        self.close()
        try:
            yield
        finally:
            self._listener = self._listen(self.port)

    def close(self) -> None:
        # shutdown wakes the thread that waits in accept; close alone would leave it the port.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._changing:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                caller, _ = listener.accept()
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError), socket.create_connection(self._target, timeout=10) as callee:
            callee.settimeout(None)
            with self._changing:
                self._open |= {caller, callee}
            try:
                back = threading.Thread(target=_pump, args=(callee, caller), daemon=True)
                back.start()
                _pump(caller, callee)
                back.join()
            finally:
                with self._changing:
                    self._open -= {caller, callee}


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Until the source has no more, which the sink is told."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
