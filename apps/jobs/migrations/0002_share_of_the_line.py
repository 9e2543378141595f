"""Each department its share of the line: a run knows its department and until when somebody else is sending it."""

from django.db import migrations, models

FILL = """
UPDATE jobs_stagerun SET department = jobs_job.department, send_after = jobs_stagerun.queued_at
FROM jobs_job WHERE jobs_job.id = jobs_stagerun.job_id
"""


class Migration(migrations.Migration):

    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AddField("stagerun", "department", models.CharField(max_length=40, null=True)),
        migrations.AddField("stagerun", "send_after", models.DateTimeField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("stagerun", "department", models.CharField(max_length=40)),
        migrations.AlterField(
            "stagerun",
            "send_after",
            models.DateTimeField(help_text="While it is not sent: nobody else may send it before."),
        ),
        migrations.AlterField(
            "stagerun",
            "dispatched_at",
            models.DateTimeField(blank=True, help_text="Empty: it waits in the outbox.", null=True),
        ),
        migrations.AddField(
            "workerheartbeat",
            "slots",
            models.IntegerField(default=0, help_text="How many tasks it works at once."),
        ),
        migrations.RemoveIndex("stagerun", "stagerun_outbox"),
        migrations.AddIndex(
            "stagerun",
            models.Index(
                condition=models.Q(("dispatched_at", None), ("state", "queued")),
                fields=["department", "queued_at"],
                name="stagerun_outbox",
            ),
        ),
        migrations.AddIndex(
            "stagerun",
            models.Index(
                condition=models.Q(("state__in", ["processing", "queued"])),
                fields=["department"],
                name="stagerun_active",
            ),
        ),
    ]
