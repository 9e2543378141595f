import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0010_dataset_names'),
        ('jobs', '0007_operators_permissions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('query', models.CharField(blank=True, help_text="Behind the address' question mark; empty: all jobs.", max_length=2000)),
                ('shared', models.BooleanField(default=False, help_text='Everybody who sees the list sees it too.')),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['name', 'id'],
                'permissions': [('share_savedview', 'Can share views of the job list with everybody, and take shared ones away')],
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['-created_at', '-id'], name='job_recent'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('finished_at__isnull', False)), fields=['finished_at'], name='job_finished'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['request_id'], name='job_request'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('status', 'succeeded')), fields=['department', '-finished_at'], name='job_last_success'),
        ),
        migrations.AddIndex(
            model_name='stagerun',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['error_code', 'job'], name='stagerun_error'),
        ),
        migrations.AddField(
            model_name='savedview',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('owner', 'name'), name='savedview_once_per_owner'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='savedview_has_a_name'),
        ),
    ]
