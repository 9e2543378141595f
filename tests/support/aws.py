"""In-process AWS for the tests of one piece: the same calls as against the real endpoints, without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, NoReturn
from unittest.mock import patch

import botocore.session
from botocore.loaders import create_loader
from django.core.files.storage import storages
from moto import mock_aws
from moto.sqs.exceptions import SQSException
from moto.sqs.responses import SQSResponse

from apps.datasets.storage import raw_storage
from apps.jobs.broker import sqs_settings
from apps.jobs.sqs.queues import provision_queues

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


# Each test makes its own clients; what botocore reads for one from its files, most of the time that takes, is the same.
botocore.session.create_loader = cache(create_loader)  # type: ignore[attr-defined]


def _unknown_action(_: SQSResponse) -> NoReturn:
    """What every endpoint says over the wire of a call it does not have; in process, moto ends its caller."""
    raise SQSException("UnsupportedOperation", "The action is not valid for this endpoint.")


@contextmanager
def provisioned() -> Iterator["SQSClient"]:
    """The bucket and the queues of this installation, in memory."""
    with mock_aws(), patch.object(SQSResponse, "list_message_move_tasks", _unknown_action, create=True):
        # A storage keeps its connection; one made outside of the mock would reach for the network.
        storages._storages.pop("raw", None)
        raw_storage().prepare()
        settings = sqs_settings()
        client = settings.client()
        provision_queues(
            client,
            queues=settings.queues,
            max_receives=settings.max_receives,
            visibility_seconds=settings.visibility_seconds,
        )
        yield client
        storages._storages.pop("raw", None)
