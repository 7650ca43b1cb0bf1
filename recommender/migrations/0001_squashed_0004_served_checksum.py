"""All migrations since the first, as one, for a new database; one that has some of them goes on with those."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('recommender', '0001_initial'),
        ('recommender', '0002_served_minute'),
        ('recommender', '0003_serving_stats'),
        ('recommender', '0004_served_checksum'),
    ]

    dependencies = [
        ('catalog', '0001_squashed_0016_reason_codes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ServedModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slot', models.CharField(choices=[('champion', 'champion'), ('previous', 'previous champion')], max_length=16, unique=True)),
                ('version', models.PositiveIntegerField()),
                ('algorithm', models.CharField(max_length=32)),
                ('artifact', models.CharField(help_text='Folder of the artefact, below MODEL_DIR.', max_length=200)),
                ('checksum', models.CharField(blank=True, help_text='Of the artefact; empty: any is served.', max_length=64)),
                ('activated_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='ServingStatsMinute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('process', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField()),
                ('minute', models.DateTimeField()),
                ('n_served', models.PositiveIntegerField()),
                ('n_failed', models.PositiveIntegerField(help_text='Failures to make a list or to load the model.')),
                ('latency_histogram', models.JSONField(help_text='Lists by latency, in the buckets of recommender.serving.stats.')),
            ],
            options={
                'indexes': [models.Index(fields=['minute'], name='recommender_stats_minute')],
                'constraints': [models.UniqueConstraint(fields=('version', 'minute', 'process'), name='recommender_stats_unique')],
            },
        ),
        migrations.CreateModel(
            name='Dismissal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('movie', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='catalog.movie')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dismissals', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('recommend_for_others', 'Can ask for the recommendations of any user')],
                'constraints': [models.UniqueConstraint(fields=('user', 'movie'), name='recommender_dismissal_unique')],
            },
        ),
        migrations.CreateModel(
            name='Feedback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('click', 'clicked'), ('not_interested', 'not interested'), ('undo', 'undone')], max_length=16)),
                ('request_id', models.UUIDField(blank=True, help_text='The list it was about.', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('movie', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='catalog.movie')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feedback', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'feedback',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['request_id'], name='recommender_fb_by_request'), models.Index(fields=['-created_at', '-id'], name='recommender_fb_created_at')],
            },
        ),
        migrations.CreateModel(
            name='Impression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request_id', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('surface', models.CharField(help_text='Where it was shown: page or endpoint.', max_length=32)),
                ('model_version', models.PositiveIntegerField(blank=True, null=True)),
                ('fallback', models.CharField(blank=True, help_text='Fallback that made the list, if any.', max_length=16)),
                ('items', models.JSONField()),
                ('shown_at', models.DateTimeField()),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='impressions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-shown_at', '-id'],
                'indexes': [models.Index(fields=['-shown_at', '-id'], name='recommender_imp_shown_at'), models.Index(fields=['user', '-shown_at'], name='recommender_imp_by_user')],
            },
        ),
    ]
