from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0008_console'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='operation',
            options={'default_permissions': ('view',), 'ordering': ['-started_at', '-id'], 'permissions': [('stop_operation', 'Can stop operations')]},
        ),
    ]
