from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_console_role_constraints'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('registered', 'registered'), ('logged-in', 'logged in'), ('logged-out', 'logged out'), ('console-entered', 'logged in to the console'), ('console-left', 'logged out of the console'), ('password-changed', 'changed their password'), ('account-created', 'made an account'), ('account-approved', 'approved an account'), ('account-renamed', "changed an account's name or address"), ('account-moved', 'moved an account to another department'), ('role-changed', 'gave an account another role'), ('console-role-changed', 'gave an account another role in the console'), ('account-deactivated', 'shut an account'), ('account-activated', 'opened an account again'), ('password-reset', 'gave an account another password'), ('sessions-ended', 'ended sessions'), ('invited', 'invited somebody'), ('invitation-withdrawn', 'withdrew an invitation'), ('uploaded', 'uploaded a file'), ('undone', 'undid an upload'), ('mapping-forgotten', 'had a mapping of labels forgotten'), ('settings-changed', 'changed what insights are computed with'), ('job-retried', 'retried a job'), ('job-cancelled', 'cancelled a job'), ('reprocessed', 'had an upload worked again'), ('rescued', 'gave orphaned jobs back to the line'), ('operation-started', 'began to act on many jobs'), ('operation-stopped', 'stopped acting on many jobs'), ('redriven', 'put dead letters back into their queue'), ('discarded', 'threw a dead letter away'), ('purged', 'threw all dead letters of a queue away'), ('pruned', 'deleted what was of no more use'), ('audit-exported', 'exported the audit')], max_length=40),
        ),
    ]
