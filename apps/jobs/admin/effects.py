"""What is done to jobs and uploads from the console, as its pages tell it before it is done."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.jobs.models import OperationKind


@dataclass(frozen=True, kw_only=True)
class Act:
    """One kind of act. `effects` are sentences that hold for one as for many, `refused` says what it passes over,
    `permission` is asked of who does it."""

    kind: OperationKind
    permission: str
    effects: tuple[str, ...]
    refused: str

    @property
    def label(self) -> str:
        return str(self.kind.label)

    def told(self) -> Iterable[str]:
        yield from self.effects
        yield f"Refused, each with its reason: {self.refused}."


ACTS = {
    act.kind: act
    for act in (
        Act(
            kind=OperationKind.RETRY,
            permission="jobs.retry_job",
            effects=(
                "A job is queued again from the stage that failed, with all its attempts.",
                "Mend first what made it fail.",
                "Nothing is counted twice: what the stage had begun came to nothing.",
                "A dead letter of it stays in its DLQ, where it can be thrown away.",
            ),
            refused="a job that has not failed, that is not its upload's newest, or whose upload was undone",
        ),
        Act(
            kind=OperationKind.REPROCESS_ETL,
            permission="datasets.reprocess_dataset",
            effects=(
                "An upload gets a new job: its raw file is read, checked and loaded anew, with what this release does.",
                "Its rows and rejects are replaced at once when that is done, and its insights are computed anew.",
            ),
            refused="an upload that a job is under way for, or that was undone",
        ),
        Act(
            kind=OperationKind.REPROCESS_ML,
            permission="datasets.reprocess_dataset",
            effects=(
                "An upload gets a new job that computes insights anew, from the clean rows as they are.",
                "The raw file is not read: rows and rejects stay.",
            ),
            refused="an upload that a job is under way for, that has no clean rows yet, or that was undone",
        ),
        Act(
            kind=OperationKind.UNDO,
            permission="datasets.undo_dataset",
            effects=(
                "An upload's rows, rejected rows and insights go, and with them those of the corrections made to it.",
                "Rows of older uploads that it had superseded count again.",
                "The department's insights are computed anew from what is left.",
                "It cannot be taken back: who wants the data again uploads the file again.",
            ),
            refused="an upload that was undone before",
        ),
        Act(
            kind=OperationKind.CANCEL,
            permission="jobs.cancel_job",
            effects=(
                "A job that waits is never begun.",
                "A worker that has it in hand stops at its next sign of progress, and leaves nothing of its stage.",
                "The job is failed with the code “cancelled”: its owner reads your name and your reason.",
                "It can be retried; nothing else begins it again.",
            ),
            refused="a job that has ended",
        ),
    )
}
