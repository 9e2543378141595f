"""Permissions for what operators do to jobs and dead letters."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0006_operations'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='job',
            options={'ordering': ['-created_at', '-id'], 'permissions': [('retry_job', 'Can retry failed jobs'), ('cancel_job', 'Can cancel jobs'), ('rescue_job', 'Can give orphaned jobs back to the line'), ('view_deadletter', 'Can look at dead letters'), ('redrive_deadletter', 'Can put dead letters back into their queue'), ('discard_deadletter', 'Can throw dead letters away'), ('purge_deadletter', 'Can throw all dead letters of a queue away')]},
        ),
    ]
