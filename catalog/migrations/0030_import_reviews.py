from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0029_wikipedia_articles")]

    operations = [
        migrations.AddField(
            model_name="importrow",
            name="review",
            field=models.TextField(blank=True, db_default="", help_text="Becomes a note.", max_length=2000),
        ),
    ]
