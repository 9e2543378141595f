"""What must be true of the console's roles. Apart from their rows: PostgreSQL alters no table whose rows were just written."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_console_roles'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('console_role__in', ['', 'viewer', 'operator', 'admin'])), name='invitation_console_role_known'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('console_role__in', ['', 'viewer', 'operator', 'admin'])), name='user_console_role_known'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('console_role', ''), ('is_staff', False)), models.Q(models.Q(('console_role', ''), _negated=True), ('is_staff', True)), _connector='OR'), name='user_staff_iff_console_role'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('console_role', 'admin'), ('is_superuser', False), _connector='OR'), name='user_superuser_is_console_admin'),
        ),
    ]
