"""Insights as they were computed: what, from which data, by which method."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from apps.accounts import rows
from apps.datasets.models import Dataset


class Insight(models.Model):
    """One computed insight of a department.

    `computed_at` is the moment of the snapshot it was computed from, so the newest is the one that saw the newest
    rows, whichever run finished last. `dataset` is the upload whose run computed it; `basis` says what it covers.
    With the same rows and the same `given`, the same `version` of its method comes to the same `sha256`.
    """

    rows_of = rows.Department()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    department = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="insights")
    computed_at = models.DateTimeField()
    method = models.TextField()
    version = models.PositiveIntegerField(default=0, help_text="Of the method; 0: stored before it was kept.")
    parameters = models.JSONField(default=dict, blank=True)
    quality = models.JSONField(null=True, blank=True)
    summary = models.TextField()
    data = models.JSONField(encoder=DjangoJSONEncoder, help_text="Without the items of a ranking.")
    items_total = models.PositiveIntegerField(null=True, blank=True, help_text="Empty where it is no ranking.")
    basis = models.JSONField(
        default=dict, blank=True, help_text="Datasets, how many rows each had, and how many counted together."
    )
    given = models.JSONField(default=dict, blank=True, help_text="Settings and reviews it was computed with.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of what came out, in one fixed spelling.")
    headline = models.JSONField(default=dict, blank=True, help_text="What the next upload's is compared with.")
    compared_with = models.ForeignKey(
        Dataset,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The upload before, of whose insight `since` tells what has changed.",
    )
    since = models.TextField(blank=True)

    class Meta:
        ordering = ["-computed_at"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "kind"], name="insight_once_per_dataset_and_kind"),
            models.CheckConstraint(
                name="insight_since_names_an_upload",
                condition=Q(since="", compared_with=None) | (~Q(since="") & Q(compared_with__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["department", "kind", "-computed_at"], name="insight_latest")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.department}"


class InsightItem(models.Model):
    """One item of an insight's ranking; `rank` counts from 1, the worst.

    What lists are filtered by stands beside the item itself, null where the item has no such field.
    """

    rows_of = rows.Parent("insight")

    pk = models.CompositePrimaryKey("insight_id", "rank")
    insight = models.ForeignKey(Insight, on_delete=models.CASCADE, related_name="items", db_index=False)
    rank = models.PositiveIntegerField()
    # A digest: what a subject is named by may be longer than an index takes.
    subject_key = models.UUIDField(null=True, help_text="`keys.subject_key` of its subject; null where it has none.")
    severity = models.TextField(null=True)  # noqa: DJ001  (no severity is not an empty one)
    score = models.FloatField(null=True)
    worth_review = models.BooleanField(null=True)
    item = models.JSONField()

    class Meta:
        ordering = ["insight", "rank"]
        indexes = [models.Index(fields=["insight", "subject_key"], name="insightitem_subject")]

    def __str__(self) -> str:
        return f"item {self.rank}"


class Verdict(models.TextChoices):
    """From "somebody has it" to "it is done": `fixed` says all that `confirmed` does, `acknowledged` nothing of it."""

    ACKNOWLEDGED = "acknowledged", "seen, and being looked into"
    EXPECTED = "expected", "nothing is wrong with it"
    CONFIRMED = "confirmed", "it is what it looked like"
    FIXED = "fixed", "it was what it looked like, and is put right"


class Statement(models.Model):
    """What the department last said of an item, whichever upload's insight it stands in.

    Whether it still holds is a comparison of `item` with the item as it is in an insight. Of one insight, as a rule the
    newest, the answer is kept here: else each page of a long ranking would compare thousands anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    department = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    subject_key = models.UUIDField(editable=False)
    subject = ArrayField(models.TextField())
    item = models.JSONField(help_text="As it was shown to the person.")
    note = models.TextField(blank=True)
    compared_in = models.UUIDField(
        null=True, editable=False, help_text="The insight that `ranks` and `reopened` speak of."
    )
    ranks = ArrayField(models.PositiveIntegerField(), default=list, editable=False, help_text="Where it stands there.")
    reopened = models.TextField(blank=True, help_text="Why it holds no more in that insight; empty while it does.")

    class Meta:
        abstract = True


class Review(Statement):
    """A finding's verdict."""

    rows_of = rows.Department()

    verdict = models.CharField(max_length=12, choices=Verdict)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    class Meta:
        ordering = ["-reviewed_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["department", "kind", "subject_key"], name="review_one_of_an_item")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.subject)}: {self.verdict}"[:200]


class Snooze(Statement):
    """An item that waits until a day, or until it gets worse. It stands beside the review, so that letting something
    wait takes back nothing that was found out."""

    rows_of = rows.Department()

    until = models.DateField(help_text="The first day on which it does not wait any more.")
    snoozed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    snoozed_at = models.DateTimeField()

    class Meta:
        ordering = ["until", "id"]
        constraints = [
            models.UniqueConstraint(fields=["department", "kind", "subject_key"], name="snooze_one_of_an_item")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.subject)}: not before {self.until}"[:200]


SNOOZED = "snoozed"


class ReviewEvent(models.Model):
    """The journal of reviews and snoozes: each that was given or taken back, never changed itself."""

    rows_of = rows.Department()

    id = models.BigAutoField(primary_key=True)
    department = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    subject = ArrayField(models.TextField())
    verdict = models.CharField(
        max_length=12,
        choices=[*Verdict.choices, (SNOOZED, "it waits until a day")],
        blank=True,
        help_text="Empty: the review was taken back.",
    )
    until = models.DateField(null=True, blank=True, help_text="Of a snooze; empty: it was woken.")
    note = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="reviewevent_only_a_snooze_has_a_day", condition=Q(until=None) | Q(verdict=SNOOZED)
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(self.subject)}: {self.verdict or 'taken back'}"[:200]


class ChosenSetting(models.Model):
    """The number a department last chose for one of an insight's settings; null: its default was chosen again."""

    rows_of = rows.Department()

    id = models.BigAutoField(primary_key=True)
    department = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    value = models.FloatField(null=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["department", "kind", "name"]
        constraints = [models.UniqueConstraint(fields=["department", "kind", "name"], name="chosensetting_once")]

    def __str__(self) -> str:
        return f"{self.department}: {self.kind} {self.name}"
