"""Where an account worked before: what it did there is still told to be its, by name (row-level security, ADR 11)."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

REMEMBER = """
CREATE FUNCTION user_remember_department() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT OLD.department = ANY (NEW.worked_in || NEW.department::text || ''::text) THEN
        NEW.worked_in := NEW.worked_in || OLD.department;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER user_remember_department BEFORE UPDATE OF department ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION user_remember_department();
"""
FORGET = """
DROP TRIGGER user_remember_department ON accounts_user;
DROP FUNCTION user_remember_department();
"""
OPEN = """
DROP POLICY IF EXISTS rows_of ON accounts_user;
ALTER TABLE accounts_user NO FORCE ROW LEVEL SECURITY;
ALTER TABLE accounts_user DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0008_console_locked")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="worked_in",
            field=ArrayField(
                models.CharField(max_length=40),
                default=list,
                db_default=[],
                editable=False,
                help_text="The departments before this one, where what they uploaded is still told to be theirs. Kept "
                "by a trigger.",
            ),
        ),
        migrations.RunSQL(REMEMBER, FORGET),
        # Back to before there were policies; `migrate` makes this one, which looks at the column.
        migrations.RunSQL("", OPEN),
    ]
