import django.core.serializers.json
import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0007_partition_defaults'),
        ('jobs', '0005_failed_runs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Operation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('retry', 'Retry'), ('reprocess-etl', 'Reprocess from etl'), ('reprocess-ml', 'Reprocess from ml'), ('undo', 'Undo'), ('cancel', 'Cancel')], max_length=20)),
                ('reason', models.TextField()),
                ('filter_words', models.TextField(help_text='What was asked for, as it was shown to who asked.')),
                ('filter', models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('rate', models.PositiveIntegerField(help_text='Items a minute, at most.')),
                ('next_at', models.DateTimeField(help_text='Its next item is not worked before.')),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('address', models.GenericIPAddressField(blank=True, null=True)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='operations', to=settings.AUTH_USER_MODEL)),
                ('stopped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-started_at', '-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='OperationItem',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('retry', 'Retry'), ('reprocess-etl', 'Reprocess from etl'), ('reprocess-ml', 'Reprocess from ml'), ('undo', 'Undo'), ('cancel', 'Cancel')], max_length=20)),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('refused', 'Refused'), ('left', 'Left: the operation was stopped')], default='waiting', max_length=10)),
                ('words', models.TextField(blank=True)),
                ('at', models.DateTimeField(blank=True, help_text='When it came to that; empty: it waits.', null=True)),
                ('dataset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='operation_items', to='datasets.dataset')),
                ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='operation_items', to='jobs.job')),
                ('operation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='jobs.operation')),
            ],
            options={
                'ordering': ['operation', 'id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['next_at'], name='operation_running'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='operation_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='operation_moves'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(('total__gte', django.db.models.expressions.CombinedExpression(models.F('done'), '+', models.F('refused')))), name='operation_no_more_than_all'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stopped_at', None), ('stopped_by', None)), models.Q(('ended_at__isnull', False), ('stopped_at__isnull', False), ('stopped_by__isnull', False)), _connector='OR'), name='operation_stopped_by_somebody_and_ended'),
        ),
        migrations.AddIndex(
            model_name='operationitem',
            index=models.Index(fields=['operation', 'status', 'id'], name='operationitem_of_operation'),
        ),
        migrations.AddConstraint(
            model_name='operationitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('dataset__isnull', False), ('job', None)), models.Q(('dataset', None), ('job__isnull', False)), _connector='OR'), name='operationitem_a_job_or_an_upload'),
        ),
        migrations.AddConstraint(
            model_name='operationitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('at', None), ('status', 'waiting')), models.Q(models.Q(('status', 'waiting'), _negated=True), ('at__isnull', False)), _connector='OR'), name='operationitem_at_iff_not_waiting'),
        ),
        migrations.AddConstraint(
            model_name='operationitem',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'waiting')), fields=('kind', 'job'), name='operationitem_job_waits_once'),
        ),
        migrations.AddConstraint(
            model_name='operationitem',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'waiting')), fields=('kind', 'dataset'), name='operationitem_upload_waits_once'),
        ),
    ]
