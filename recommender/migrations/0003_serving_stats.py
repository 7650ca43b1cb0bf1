from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0002_served_minute"),
    ]

    operations = [
        migrations.RenameModel("ServedMinute", "ServingStatsMinute"),
        migrations.RenameField("ServingStatsMinute", "seconds", "latency_histogram"),
        migrations.AlterField(
            "ServingStatsMinute",
            "latency_histogram",
            models.JSONField(help_text="Lists by latency, in the buckets of recommender.serving.stats."),
        ),
        migrations.AlterField(
            "ServingStatsMinute",
            "n_failed",
            models.PositiveIntegerField(help_text="Failures to make a list or to load the model."),
        ),
        migrations.RenameIndex(
            "ServingStatsMinute", old_name="recommender_served_minute", new_name="recommender_stats_minute"
        ),
        migrations.RemoveConstraint("ServingStatsMinute", "recommender_servedminute_unique"),
        migrations.AddConstraint(
            "ServingStatsMinute",
            models.UniqueConstraint(fields=["version", "minute", "process"], name="recommender_stats_unique"),
        ),
        migrations.AlterField(
            "Impression",
            "fallback",
            models.CharField(blank=True, help_text="Fallback that made the list, if any.", max_length=16),
        ),
    ]
