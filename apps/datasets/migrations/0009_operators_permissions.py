"""Permissions for what operators do to uploads."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0008_raw_deleted_at'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='dataset',
            options={'ordering': ['-number'], 'permissions': [('reprocess_dataset', 'Can have uploads worked again'), ('undo_dataset', 'Can undo uploads')]},
        ),
    ]
