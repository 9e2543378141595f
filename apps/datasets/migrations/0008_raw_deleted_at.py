from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0007_partition_defaults'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='raw_deleted_at',
            field=models.DateTimeField(blank=True, help_text='When the raw file of an undone upload went, its retention over.', null=True),
        ),
    ]
