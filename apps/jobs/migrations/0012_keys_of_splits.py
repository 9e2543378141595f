"""The keys of a split are hashes, which nothing makes smaller."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("jobs", "0011_splits")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE jobs_stagesplit ALTER COLUMN keys SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        )
    ]
