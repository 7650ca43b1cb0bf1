from django.db import migrations, models

from catalog.text import skeleton

LENGTH = 150
ROWS = 2000


def fill_in(apps, schema_editor):
    """Of all who can have a password; names of data sets are reserved."""
    users = apps.get_model('catalog', 'User')._base_manager
    some = []
    for user in users.filter(source__in=['site', 'bulk']).only('pk', 'username').iterator(ROWS):
        user.skeleton = skeleton(user.username)[:LENGTH]
        some.append(user)
        if len(some) == ROWS:
            users.bulk_update(some, ['skeleton'])
            some = []
    users.bulk_update(some, ['skeleton'])


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0019_email_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='session_epoch',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Sessions of an earlier one have ended.'),
        ),
        migrations.AddField(
            model_name='user',
            name='skeleton',
            field=models.CharField(blank=True, default='', editable=False, help_text='What the name looks like (text.skeleton).', max_length=150),
            preserve_default=False,
        ),
        migrations.RunPython(fill_in, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(fields=['skeleton'], name='catalog_user_by_skeleton'),
        ),
    ]
