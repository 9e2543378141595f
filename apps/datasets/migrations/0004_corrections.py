"""What was rejected, counted by column and listed to a limit; and uploads that bring rejected rows mended."""

import django.db.models.deletion
from django.db import migrations, models

# A foreign key of Django's is one column: this one holds that a correction is of its upload's department.
SAME_DEPARTMENT = """
ALTER TABLE datasets_dataset ADD CONSTRAINT dataset_corrects_its_department
FOREIGN KEY (corrects_id, department) REFERENCES datasets_dataset (id, department)
"""
ANY_DEPARTMENT = "ALTER TABLE datasets_dataset DROP CONSTRAINT dataset_corrects_its_department"

# Of a file that was refused no more is known than what is listed. By column nothing is, until it is read again.
FILL = """
UPDATE datasets_dataset SET
    rejected_lines = GREATEST(rows_rejected + rows_duplicate, listed.lines),
    listed_lines = listed.lines,
    listed_faults = listed.faults
FROM (
    SELECT dataset.id, count(DISTINCT reject.line) AS lines, count(reject.id) AS faults
    FROM datasets_dataset AS dataset LEFT JOIN datasets_reject AS reject ON reject.dataset_id = dataset.id
    GROUP BY dataset.id
) AS listed
WHERE listed.id = datasets_dataset.id
"""


class Migration(migrations.Migration):

    dependencies = [
        ("datasets", "0003_read_options"),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='corrects',
            field=models.ForeignKey(blank=True, help_text='The upload whose rejected rows this one brings mended; never a correction itself.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='datasets.dataset'),
        ),
        migrations.AddField(
            model_name='dataset',
            name='listed_faults',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='dataset',
            name='listed_lines',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='dataset',
            name='listing_limit',
            field=models.PositiveIntegerField(blank=True, help_text='In faults; none: not read yet.', null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='rejected_lines',
            field=models.BigIntegerField(default=0, help_text='Lines with a fault, duplicates among them.'),
        ),
        migrations.AddField(
            model_name='dataset',
            name='rejects_by_column',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.CheckConstraint(condition=models.Q(('listed_lines__lte', models.F('rejected_lines'))), name='dataset_lists_no_more_than_was_rejected'),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.CheckConstraint(condition=models.Q(('corrects', models.F('id')), _negated=True), name='dataset_corrects_another'),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.UniqueConstraint(fields=('id', 'department'), name='dataset_of_department'),
        ),
        migrations.RunSQL(SAME_DEPARTMENT, ANY_DEPARTMENT),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
