"""The console's roles, apart from the API's; whoever had the console, the admins, has all of it as before."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def keep_the_admins_console(apps, schema_editor):
    alias = schema_editor.connection.alias
    apps.get_model("accounts", "User").objects.using(alias).filter(is_staff=True).update(console_role="admin")
    open_ones = apps.get_model("accounts", "Invitation").objects.using(alias).filter(role="admin", used_at=None)
    open_ones.update(console_role="admin")


def leave_it_to_admins(apps, schema_editor):
    """Back to where only admins of all departments have the console."""
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    users.exclude(role="admin").update(is_staff=False, is_superuser=False)
    users.filter(role="admin", console_role="admin").update(is_staff=True, is_superuser=True)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_audit'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsoleSession',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'abstract': False,
                'default_permissions': (),
            },
        ),
        migrations.AlterModelOptions(
            name='invitation',
            options={'ordering': ['-created_at'], 'permissions': [('withdraw_invitation', 'Can withdraw invitations')]},
        ),
        migrations.AlterModelOptions(
            name='session',
            options={'ordering': ['-created_at'], 'permissions': [('end_session', 'Can end sessions')]},
        ),
        migrations.AlterModelOptions(
            name='user',
            options={'ordering': ['email'], 'permissions': [('approve_user', 'Can approve accounts'), ('deactivate_user', 'Can shut accounts and open them again'), ('move_user', 'Can move accounts to another department'), ('grant_user', 'Can give accounts their roles')]},
        ),
        migrations.RemoveConstraint(
            model_name='user',
            name='user_console_for_admins',
        ),
        migrations.AddField(
            model_name='invitation',
            name='console_role',
            field=models.CharField(blank=True, choices=[('', 'none'), ('viewer', 'Viewer'), ('operator', 'Operator'), ('admin', 'Admin')], db_default='', default='', help_text='A viewer looks at everything, of all departments. An operator also retries, reprocesses, undoes, cancels, redrives and rescues. An admin also sees to accounts, discards and purges, and exports the audit.', max_length=10, verbose_name='role in the console'),
        ),
        migrations.AddField(
            model_name='user',
            name='console_role',
            field=models.CharField(blank=True, choices=[('', 'none'), ('viewer', 'Viewer'), ('operator', 'Operator'), ('admin', 'Admin')], db_default='', default='', help_text='A viewer looks at everything, of all departments. An operator also retries, reprocesses, undoes, cancels, redrives and rescues. An admin also sees to accounts, discards and purges, and exports the audit.', max_length=10, verbose_name='role in the console'),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('registered', 'registered'), ('logged-in', 'logged in'), ('logged-out', 'logged out'), ('console-entered', 'logged in to the console'), ('console-left', 'logged out of the console'), ('password-changed', 'changed their password'), ('account-created', 'made an account'), ('account-approved', 'approved an account'), ('account-renamed', "changed an account's name or address"), ('account-moved', 'moved an account to another department'), ('role-changed', 'gave an account another role'), ('console-role-changed', 'gave an account another role in the console'), ('account-deactivated', 'shut an account'), ('account-activated', 'opened an account again'), ('password-reset', 'gave an account another password'), ('sessions-ended', 'ended sessions'), ('invited', 'invited somebody'), ('invitation-withdrawn', 'withdrew an invitation'), ('uploaded', 'uploaded a file'), ('undone', 'undid an upload'), ('mapping-forgotten', 'had a mapping of labels forgotten'), ('settings-changed', 'changed what insights are computed with'), ('job-retried', 'retried a job'), ('job-cancelled', 'cancelled a job'), ('reprocessed', 'had an upload worked again'), ('rescued', 'gave orphaned jobs back to the line'), ('operation-started', 'began to act on many jobs'), ('operation-stopped', 'stopped acting on many jobs'), ('redriven', 'put dead letters back into their queue'), ('discarded', 'threw a dead letter away'), ('purged', 'threw all dead letters of a queue away'), ('audit-exported', 'exported the audit')], max_length=40),
        ),
        migrations.AddField(
            model_name='consolesession',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='console_sessions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(keep_the_admins_console, leave_it_to_admins),
    ]
