from django.db import migrations, models

HELP = "Of a movie in the first ten of the popular list; empty for days before that."


class Migration(migrations.Migration):
    """Days that were scored without the popular list keep NULL; the default is for later ones."""

    dependencies = [
        ("mlops", "0022_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="onlinemetrics",
            name="popular_hits",
            field=models.PositiveIntegerField(help_text=HELP, null=True),
        ),
        migrations.AlterField(
            model_name="onlinemetrics",
            name="popular_hits",
            field=models.PositiveIntegerField(default=0, help_text=HELP, null=True),
        ),
    ]
