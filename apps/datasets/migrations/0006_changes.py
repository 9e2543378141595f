"""What an upload changes: its rows' digests, and how many keys two uploads share."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', "0005_dataset_profile"),
    ]

    operations = [
        migrations.CreateModel(
            name='Overlap',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('rows', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='RowDigests',
            fields=[
                ('pk', models.CompositePrimaryKey('dataset_no', 'part', blank=True, editable=False, primary_key=True, serialize=False)),
                ('dataset_no', models.BigIntegerField()),
                ('part', models.IntegerField()),
                ('digests', models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name='dataset',
            name='digest_version',
            field=models.PositiveSmallIntegerField(default=0, help_text="By which rule its rows' digests were made; 0: there are none."),
        ),
        migrations.AddField(
            model_name='dataset',
            name='rows_changed',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='rows_new',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='rows_unchanged',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rows_changed', None), ('rows_new', None), ('rows_unchanged', None)), models.Q(('rows_changed__isnull', False), ('rows_loaded', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('rows_new'), '+', models.F('rows_changed')), '+', models.F('rows_unchanged'))), ('rows_new__isnull', False), ('rows_unchanged__isnull', False)), _connector='OR'), name='dataset_changes_add_up'),
        ),
        migrations.AddField(
            model_name='overlap',
            name='newer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overlaps_with_older', to='datasets.dataset'),
        ),
        migrations.AddField(
            model_name='overlap',
            name='older',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overlaps_with_newer', to='datasets.dataset'),
        ),
        migrations.AddConstraint(
            model_name='overlap',
            constraint=models.UniqueConstraint(fields=('older', 'newer'), name='overlap_of_two_once'),
        ),
        migrations.AddConstraint(
            model_name='overlap',
            constraint=models.CheckConstraint(condition=models.Q(('rows__gt', 0)), name='overlap_of_some_rows'),
        ),
        # Hashes cannot be compressed. A part is to stand in the table itself, however its rows are spread.
        migrations.RunSQL(
            "ALTER TABLE datasets_rowdigests ALTER COLUMN digests SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160)",
            migrations.RunSQL.noop,
        ),
    ]
