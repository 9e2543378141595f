"""The splits of a large file whose ETL several workers share."""

from django.db import models
from django.db.models import F, Q

from apps.accounts import rows
from apps.jobs.models.jobs import StageRun


class SplitState(models.TextChoices):
    WAITING = "waiting"
    TAKEN = "taken"
    LOADED = "loaded"
    REFUSED = "refused"


class StageSplit(models.Model):
    """Whole lines of a file, loaded by whoever takes them; there while the stage's attempt `token` is in work.

    What came of it (`piece` and what follows) is what `apps.datasets.splits.LoadedSplit` says. A file with a split that
    was REFUSED is read as a whole.
    """

    rows_of = rows.Parent("run")

    id = models.BigAutoField(primary_key=True)
    # The constraint's index finds them.
    run = models.ForeignKey(StageRun, on_delete=models.CASCADE, related_name="splits", db_index=False)
    number = models.IntegerField()
    token = models.BigIntegerField(help_text="Of the claim that shares it.")
    release = models.CharField(max_length=60, help_text="Of whom its caller understands.")
    plan = models.JSONField()
    bucket = models.BigIntegerField()
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    first_line = models.BigIntegerField()
    after_line = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the loaded bytes, where they were fetched.")

    state = models.CharField(max_length=10, choices=SplitState, default=SplitState.WAITING)
    takes = models.IntegerField(default=0, help_text="How often it was taken: the fence of who holds it.")
    worker = models.CharField(max_length=200, blank=True)
    held_until = models.DateTimeField(null=True)
    done = models.BigIntegerField(default=0, help_text="Bytes of it.")

    piece = models.BigIntegerField(null=True)
    found = models.JSONField(null=True)
    keys = models.BinaryField(null=True)
    rejects = models.BinaryField(null=True)

    class Meta:
        ordering = ["run", "number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["run", "token", "number"], name="stagesplit_once_per_attempt"),
            models.CheckConstraint(name="stagesplit_has_bytes", condition=Q(end__gt=F("start"))),
            models.CheckConstraint(
                name="stagesplit_loaded_with_what_came_of_it",
                condition=~Q(state=SplitState.LOADED)
                | Q(piece__isnull=False, found__isnull=False, keys__isnull=False, rejects__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"split {self.number} of {self.run_id}"
