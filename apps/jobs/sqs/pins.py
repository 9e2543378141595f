"""Which celery and kombu the transport, the heartbeat and the stop are proven with, and what of them they lean on."""

from importlib.metadata import version
from typing import Any

from celery.worker import WorkController, state
from celery.worker.request import Request
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.asynchronous.semaphore import LaxBoundedSemaphore
from kombu.transport import SQS, virtual

PINS = {"celery": "5.7.0", "kombu": "5.7.0"}
# What is overridden, called or read, by its owner (a class or a module): the list to read again before a pin is moved.
LEANED_ON: dict[Any, tuple[str, ...]] = {
    AsyncSQSConnection: ("_on_list_ready",),
    virtual.QoS: ("_delivered", "_dirty", "append", "reject", "restore_unacked_once"),
    virtual.Channel: ("basic_reject",),
    SQS.Channel: (
        "_envelope_payload",
        "_get_async",
        "_loop1",
        "_message_to_python",
        "_on_messages_ready",
        "_put",
        "_release_messages",
        "_restore",
        "_schedule_queue",
        "asynsqs",
        "basic_ack",
        "basic_reject",
        "get_message_attributes",
        "predefined_queues",
        "sqs",
    ),
    state: ("active_requests", "reserved_requests", "should_stop", "task_ready"),
    Request: ("_apply_result", "acknowledged", "cancel", "message"),
    LaxBoundedSemaphore: ("clear",),
    WorkController: ("semaphore",),
}


class UnpinnedVersion(RuntimeError):  # noqa: N818 - told to the operator
    """Celery or kombu is not the one this queue layer was proven with."""


def check_pins() -> None:
    """Raise UnpinnedVersion unless celery and kombu are the pinned ones with everything that is leaned on."""
    for package, pinned in PINS.items():
        if version(package) != pinned:
            raise UnpinnedVersion(
                f"{package} is {version(package)}, the SQS transport is proven with {pinned} only. "
                f"Install {package}=={pinned}, or prove the new one and move the pin."
            )
    missing = [
        f"{owner.__name__}.{name}" for owner, listed in LEANED_ON.items() for name in listed if not hasattr(owner, name)
    ]
    if missing:
        raise UnpinnedVersion(f"the SQS transport leans on what is gone: {', '.join(missing)}")
