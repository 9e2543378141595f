"""`python -m config.alive`: a container's health check. Exits with 1, and says why, where its process does nothing.

A worker or the relay is alive while its loop renews ALIVE_FILE, the web server while it answers. Neither asks the
database or another service: containers that are ended for what they lean on come back no better.
"""

import http.client
import os
import sys
import time
from pathlib import Path

# Longer than a database that hangs holds a loop up.
STALE_SECONDS = 90
_WITHIN_SECONDS = 4


def fault() -> str:
    """What is wrong; empty where nothing is."""
    file = os.environ.get("ALIVE_FILE", "")
    # `config.role` makes it for a worker and the relay, and takes it away for the web server.
    if file and Path(file).exists():
        silent = time.time() - Path(file).stat().st_mtime
        return f"The loop has not turned for {silent:.0f} s." if silent > STALE_SECONDS else ""
    return _no_answer(int(os.environ.get("PORT", "") or "8000"))


def _no_answer(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN_SECONDS)
    try:
        connection.request("GET", "/api/v1/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        told = f"The web server does not answer on port {port}, and no other loop has begun"
        return f"{told}: {error or type(error).__name__}."
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"The web server answers /api/v1/health with {status}."


if __name__ == "__main__":
    sys.exit(fault() or 0)
