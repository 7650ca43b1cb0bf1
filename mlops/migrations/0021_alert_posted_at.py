from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mlops", "0020_backup_watermark"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="posted_at",
            field=models.DateTimeField(blank=True, help_text="When the webhook took its beginning.", null=True),
        ),
    ]
