"""The programs the platform consists of, the same on one bare machine and in containers."""

import sys


def commands(
    *, port: int, host: str = "127.0.0.1", web_workers: int = 1, etl_concurrency: int = 2, ml_concurrency: int = 1
) -> dict[str, list[str]]:
    """The argument lists of the four programs, by name, in the order they are stopped."""
    python = sys.executable
    return {
        "web": [
            *(python, "-m", "granian", "--interface", "wsgi", "config.wsgi:application"),
            *(
                "--host",
                host,
                "--port",
                str(port),
                "--workers",
                str(web_workers),
                "--blocking-threads",
                "4",
            ),
            # A browser's open connection would otherwise hold a stop for ever.
            *("--no-ws", "--workers-kill-timeout", "2", "--log-level", "warning"),
        ],
        "worker-etl": _worker(python, queue="etl", concurrency=etl_concurrency),
        "worker-ml": _worker(python, queue="ml", concurrency=ml_concurrency),
        "relay": [python, "manage.py", "relay", "--loop"],
    }


def _worker(python: str, *, queue: str, concurrency: int) -> list[str]:
    # Root is not what a container gives a worker, but it is what a bare machine gives `make up`: once is enough said.
    hush = "ignore:You're running the worker with superuser privileges"
    return [
        *(python, "-W", hush, "-m", "celery", "--quiet", "-A", "celery_app", "worker"),
        *("-Q", queue, "-n", f"{queue}@%h", "-P", "prefork", "-c", str(concurrency)),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
