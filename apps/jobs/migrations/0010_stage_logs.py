import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0009_stop_operation'),
    ]

    operations = [
        migrations.CreateModel(
            name='StageLog',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('token', models.BigIntegerField(help_text='Of the claim: which attempt it was.')),
                ('at', models.DateTimeField()),
                ('lines', models.JSONField()),
                ('dropped', models.PositiveIntegerField(default=0)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='logs', to='jobs.stagerun')),
            ],
            options={
                'ordering': ['run', 'token'],
                'default_permissions': (),
                'indexes': [django.contrib.postgres.indexes.BrinIndex(fields=['at'], name='stagelog_at')],
                'constraints': [models.UniqueConstraint(fields=('run', 'token'), name='stagelog_once_per_attempt')],
            },
        ),
    ]
