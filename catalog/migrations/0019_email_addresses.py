from django.db import migrations, models
from django.db.models.functions import Lower


def lower_addresses(apps, schema_editor):
    users = apps.get_model('catalog', 'User')._base_manager.exclude(email='')
    users.exclude(email=Lower('email')).update(email=Lower('email'))


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0018_popularity_help'),
    ]

    operations = [
        migrations.AlterModelManagers(name='user', managers=[]),
        migrations.RunPython(lower_addresses, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['email'], name='catalog_user_by_email'),
        ),
    ]
