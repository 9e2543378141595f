"""The audit, and the triggers that let nobody change it."""

import apps.accounts.models
import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


FORBID = """
CREATE FUNCTION accounts_auditentry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit is only added to, so that it can be believed: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'What is wrong in it is put right by an entry of its own.';
END $$;

CREATE TRIGGER auditentry_no_change BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_auditentry_stays();
CREATE TRIGGER auditentry_no_truncate BEFORE TRUNCATE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_auditentry_stays();
"""

ALLOW = """
DROP TRIGGER auditentry_no_truncate ON accounts_auditentry;
DROP TRIGGER auditentry_no_change ON accounts_auditentry;
DROP FUNCTION accounts_auditentry_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_session_ip_and_owner'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('actor_name', models.CharField(help_text='As they were called then.', max_length=500, verbose_name='who')),
                ('action', models.CharField(choices=[('registered', 'registered'), ('logged-in', 'logged in'), ('logged-out', 'logged out'), ('console-entered', 'logged in to the console'), ('console-left', 'logged out of the console'), ('password-changed', 'changed their password'), ('account-created', 'made an account'), ('account-approved', 'approved an account'), ('account-renamed', "changed an account's name or address"), ('account-moved', 'moved an account to another department'), ('role-changed', 'gave an account another role'), ('account-deactivated', 'shut an account'), ('account-activated', 'opened an account again'), ('password-reset', 'gave an account another password'), ('sessions-ended', 'ended sessions'), ('invited', 'invited somebody'), ('uploaded', 'uploaded a file'), ('undone', 'undid an upload'), ('mapping-forgotten', 'had a mapping of labels forgotten'), ('settings-changed', 'changed what insights are computed with'), ('job-retried', 'retried a job'), ('job-cancelled', 'cancelled a job'), ('reprocessed', 'had an upload worked again'), ('rescued', 'gave orphaned jobs back to the line'), ('operation-started', 'began to act on many jobs'), ('operation-stopped', 'stopped acting on many jobs'), ('redriven', 'put dead letters back into their queue'), ('discarded', 'threw a dead letter away'), ('purged', 'threw all dead letters of a queue away'), ('audit-exported', 'exported the audit')], max_length=40)),
                ('target_type', models.CharField(help_text='Such as job, dataset, user, queue.', max_length=40)),
                ('target_id', models.CharField(blank=True, max_length=200)),
                ('target', models.CharField(blank=True, help_text='As it was called then.', max_length=300)),
                ('department', models.CharField(blank=True, choices=apps.accounts.models.department_choices, help_text="Empty where it is no department's.", max_length=40)),
                ('reason', models.TextField(blank=True, help_text='In the words of who did it.')),
                ('details', models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('address', models.GenericIPAddressField(blank=True, help_text='Where it was asked for.', null=True)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('actor', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Empty where no account acted, but a command.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit',
                'ordering': ['-at', '-id'],
                'permissions': [('export_auditentry', 'Can export the audit')],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['-at', '-id'], name='audit_recent'), models.Index(fields=['target_id', 'target_type', '-at', '-id'], name='audit_target'), models.Index(fields=['actor', '-at', '-id'], name='audit_actor'), models.Index(fields=['department', '-at', '-id'], name='audit_department'), models.Index(fields=['action', '-at', '-id'], name='audit_action'), models.Index(condition=models.Q(('request_id', ''), _negated=True), fields=['request_id'], name='audit_request')],
                'constraints': [models.CheckConstraint(condition=models.Q(('actor_name', ''), _negated=True), name='auditentry_somebody_did_it')],
            },
        ),
        migrations.RunSQL(FORBID, ALLOW),
    ]
