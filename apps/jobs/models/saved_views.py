"""What an operator keeps of the list of jobs."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts import rows


class SavedView(models.Model):
    """What somebody looks at often: the question of a job list's address, under a name of theirs."""

    rows_of = rows.Operators()

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=60)
    query = models.CharField(
        max_length=2_000, blank=True, help_text="Behind the address' question mark; empty: all jobs."
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    shared = models.BooleanField(default=False, help_text="Everybody who sees the list sees it too.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        default_permissions = ()
        permissions = [("share_savedview", "Can share views of the job list with everybody, and take shared ones away")]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="savedview_once_per_owner"),
            models.CheckConstraint(condition=~Q(name=""), name="savedview_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
