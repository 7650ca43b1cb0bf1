"""All migrations since the first, as one, for a new database; one that has some of them goes on with those."""

import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from catalog.migrations._search import (
    add_indexes_of_postgres,
    add_vector_of_postgres,
    drop_indexes_of_postgres,
    drop_vector_of_postgres,
)


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('catalog', '0001_initial'),
        ('catalog', '0002_import_run'),
        ('catalog', '0003_tmdb'),
        ('catalog', '0004_histories'),
        ('catalog', '0005_search'),
        ('catalog', '0006_bulk'),
        ('catalog', '0007_imports'),
        ('catalog', '0008_jobs'),
        ('catalog', '0009_import_jobs'),
        ('catalog', '0010_sync_jobs'),
        ('catalog', '0011_texts'),
        ('catalog', '0012_job_trigger'),
        ('catalog', '0013_import_reports'),
        ('catalog', '0014_request_count'),
        ('catalog', '0015_job_uptime'),
        ('catalog', '0016_reason_codes'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Genre',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('slug', models.SlugField(max_length=60, unique=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], max_length=16)),
                ('origin', models.CharField(help_text='File or folder name, or parameters of a generated data set.', max_length=200)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('counts', models.JSONField(default=dict, help_text='Rows by outcome.')),
            ],
            options={
                'ordering': ['-started_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('job_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=32)),
                ('status', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('succeeded', 'succeeded'), ('failed', 'failed'), ('errored', 'errored'), ('cancelled', 'cancelled')], default='queued', max_length=16)),
                ('trigger', models.CharField(choices=[('scheduled', 'schedule'), ('retraining', 'retraining criteria'), ('admin', 'admin'), ('command', 'command'), ('api', 'API'), ('page', 'page')], max_length=16)),
                ('exclusive', models.CharField(blank=True, help_text='At most one active job has this name.', max_length=40)),
                ('outcome', models.CharField(blank=True, help_text='How it ended, as a code.', max_length=40)),
                ('details', models.JSONField(blank=True, default=dict, help_text="What the outcome's sentence is filled with.")),
                ('log', models.TextField(blank=True)),
                ('attempt', models.PositiveSmallIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('enqueued_at', models.DateTimeField(blank=True, help_text='When the broker last got a message for it.', null=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_at', models.DateTimeField(blank=True, help_text="When this attempt's worker took it.", null=True)),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('suspected_at', models.DateTimeField(blank=True, help_text='When the reaper missed its heartbeat.', null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('cancel_requested_at', models.DateTimeField(blank=True, null=True)),
                ('retry_at', models.DateTimeField(blank=True, help_text='When it is retried automatically.', null=True)),
                ('step', models.CharField(blank=True, max_length=32)),
                ('share', models.FloatField(blank=True, help_text='Of the whole job, from 0 to 1.', null=True)),
                ('remaining_seconds', models.FloatField(blank=True, null=True)),
                ('worker_host', models.CharField(blank=True, max_length=255)),
                ('worker_namespace', models.CharField(blank=True, help_text='The boot and PID namespace of the PID.', max_length=80)),
                ('worker_pid', models.BigIntegerField(blank=True, null=True)),
                ('claimed_uptime', models.FloatField(blank=True, help_text="When this attempt's worker took it, in seconds since its machine's boot.", null=True)),
                ('worker_start', models.BigIntegerField(blank=True, help_text="The process's start, in ticks since boot.", null=True)),
            ],
            options={
                'ordering': ['-created_at', '-job_id'],
            },
        ),
        migrations.CreateModel(
            name='Keyword',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, unique=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Movie',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=300)),
                ('original_title', models.CharField(blank=True, max_length=300)),
                ('search_title', models.CharField(blank=True, editable=False, max_length=620)),
                ('search_terms', models.TextField(blank=True, editable=False, help_text='Terms that search matches.')),
                ('year', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('release_date', models.DateField(blank=True, null=True)),
                ('overview', models.TextField(blank=True)),
                ('language', models.CharField(blank=True, help_text='ISO 639-1 code of the original language.', max_length=8)),
                ('runtime_minutes', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('is_adult', models.BooleanField(default=False)),
                ('poster_path', models.CharField(blank=True, help_text='Path of the poster at TMDB.', max_length=120)),
                ('movielens_id', models.PositiveIntegerField(blank=True, null=True, unique=True)),
                ('tmdb_id', models.PositiveIntegerField(blank=True, null=True, unique=True)),
                ('imdb_id', models.CharField(blank=True, max_length=16, null=True, unique=True)),
                ('external_id', models.CharField(blank=True, help_text="Id of the movie on the operator's other site.", max_length=64, null=True, unique=True)),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
                ('field_sources', models.JSONField(blank=True, default=dict, editable=False)),
                ('rating_count', models.PositiveIntegerField(default=0, editable=False)),
                ('rating_sum', models.FloatField(default=0, editable=False)),
                ('popularity', models.FloatField(default=0, editable=False, help_text='Number of ratings, weighted by recency.')),
                ('bayesian_mean', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('rating_sum'), '+', models.Value(66.0)), '/', django.db.models.expressions.CombinedExpression(models.F('rating_count'), '+', models.Value(20.0))), output_field=models.FloatField())),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['-popularity', 'id'],
            },
        ),
        migrations.CreateModel(
            name='RequestCount',
            fields=[
                ('key', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('count', models.IntegerField()),
                ('ends_at', models.FloatField(help_text="Seconds since 1970, by the database's clock.")),
            ],
        ),
        migrations.CreateModel(
            name='SyncItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('movie', 'movie'), ('changes', 'page of changes'), ('discover', 'page of releases')], max_length=16)),
                ('key', models.CharField(help_text='TMDB id, or first day, last day and page.', max_length=40)),
                ('outcome', models.CharField(blank=True, choices=[('added', 'added'), ('updated', 'updated'), ('unchanged', 'unchanged'), ('skipped', 'skipped by policy'), ('gone', 'gone from TMDB'), ('merged', 'merged into another id'), ('rejected', 'rejected'), ('failed', 'failed'), ('listed', 'page read')], max_length=16)),
                ('leased_until', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
                ('external_id', models.CharField(blank=True, help_text='Id of the user in its source.', max_length=64)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='SyncRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('job_ptr', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, parent_link=True, to='catalog.job')),
                ('scope', models.CharField(choices=[('everything', 'everything due'), ('changes', 'changes'), ('new_releases', 'new releases'), ('ids', 'chosen ids')], max_length=16)),
                ('counts', models.JSONField(default=dict, help_text='Movies and pages by outcome.')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
            bases=('catalog.job',),
        ),
        migrations.CreateModel(
            name='UserImport',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('job_ptr', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, parent_link=True, to='catalog.job')),
                ('format', models.CharField(help_text='Code of one of `imports.formats`.', max_length=16)),
                ('name', models.CharField(help_text='File name.', max_length=200)),
                ('content', models.BinaryField(default=b'', help_text='The file, until it has been read and nothing is asked.')),
                ('n_rows', models.PositiveIntegerField()),
                ('counts', models.JSONField(default=dict, help_text='What the import adds and changes, or has added and changed.')),
                ('report', models.JSONField(default=dict, help_text='What each file and column was taken for, and open questions.')),
                ('answers', models.JSONField(default=dict, help_text="The owner's answers to questions about the file.")),
                ('committed_at', models.DateTimeField(blank=True, help_text='When the owner committed the import.', null=True)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
            bases=('catalog.job',),
        ),
        migrations.AddField(
            model_name='job',
            name='requested_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='ImportRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file', models.CharField(max_length=200)),
                ('line', models.PositiveIntegerField(help_text='In a JSON file, the number of the item.')),
                ('kind', models.CharField(choices=[('rated', 'rated'), ('watched', 'watched'), ('wanted', 'on the watchlist'), ('nothing', 'says nothing'), ('unreadable', 'not readable')], max_length=16)),
                ('title', models.CharField(blank=True, max_length=300)),
                ('year', models.PositiveSmallIntegerField(null=True)),
                ('rating', models.FloatField(choices=[(0.5, '0.5'), (1.0, '1'), (1.5, '1.5'), (2.0, '2'), (2.5, '2.5'), (3.0, '3'), (3.5, '3.5'), (4.0, '4'), (4.5, '4.5'), (5.0, '5')], null=True)),
                ('recorded_at', models.DateTimeField(null=True)),
                ('watched_on', models.DateField(null=True)),
                ('is_rewatch', models.BooleanField(default=False)),
                ('reasons', models.JSONField(default=list, help_text='Why there is no movie, as codes.')),
                ('ignored', models.JSONField(default=list, help_text='Details that were ignored, as codes.')),
                ('movie', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='catalog.movie')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='AlternativeTitle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=300)),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
                ('movie', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alternative_titles', to='catalog.movie')),
            ],
            options={
                'ordering': ['title'],
            },
        ),
        migrations.CreateModel(
            name='MovieGenre',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
                ('genre', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.genre')),
                ('movie', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.movie')),
            ],
        ),
        migrations.AddField(
            model_name='movie',
            name='genres',
            field=models.ManyToManyField(related_name='movies', through='catalog.MovieGenre', to='catalog.genre'),
        ),
        migrations.CreateModel(
            name='MovieKeyword',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
                ('keyword', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.keyword')),
                ('movie', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.movie')),
            ],
        ),
        migrations.AddField(
            model_name='movie',
            name='keywords',
            field=models.ManyToManyField(related_name='movies', through='catalog.MovieKeyword', to='catalog.keyword'),
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=160)),
                ('tmdb_id', models.PositiveIntegerField(blank=True, null=True, unique=True)),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
            ],
            options={
                'verbose_name_plural': 'people',
                'ordering': ['name', 'id'],
                'indexes': [models.Index(fields=['name'], name='catalog_person_name')],
            },
        ),
        migrations.CreateModel(
            name='Credit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('cast', 'cast'), ('director', 'director')], max_length=16)),
                ('character', models.CharField(blank=True, max_length=200)),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Billing order, starting at 0.')),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
                ('movie', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='credits', to='catalog.movie')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='credits', to='catalog.person')),
            ],
            options={
                'ordering': ['role', 'position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Rating',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rating', models.FloatField(choices=[(0.5, '0.5'), (1.0, '1'), (1.5, '1.5'), (2.0, '2'), (2.5, '2.5'), (3.0, '3'), (3.5, '3.5'), (4.0, '4'), (4.5, '4.5'), (5.0, '5')])),
                ('rated_at', models.DateTimeField()),
                ('source', models.CharField(choices=[('site', 'entered on this site'), ('movielens', 'MovieLens'), ('generated', 'generated sample'), ('tmdb', 'TMDB'), ('imported', 'imported by its owner'), ('bulk', 'sent by the operator')], default='site', max_length=16)),
                ('movie', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ratings', to='catalog.movie')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ratings', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-rated_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='SearchTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('term', models.CharField(max_length=200)),
                ('reversed', models.CharField(max_length=200)),
                ('length', models.PositiveSmallIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['length', 'reversed'], name='catalog_searchterm_reversed', opclasses=['int2_ops', 'varchar_pattern_ops'])],
                'constraints': [models.UniqueConstraint(fields=('length', 'term'), name='catalog_searchterm_unique', opclasses=['int2_ops', 'varchar_pattern_ops'])],
            },
        ),
        migrations.CreateModel(
            name='TMDBRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tmdb_id', models.PositiveIntegerField(unique=True)),
                ('state', models.CharField(choices=[('fetched', 'in the catalogue'), ('skipped', 'skipped by policy'), ('rejected', 'rejected'), ('failed', 'failed'), ('gone', 'gone from TMDB'), ('merged', 'merged into another id')], max_length=16)),
                ('reasons', models.JSONField(blank=True, default=list, help_text='Why it is not in the catalogue, as codes.')),
                ('merged_into', models.PositiveIntegerField(blank=True, null=True)),
                ('fetched_at', models.DateTimeField(blank=True, help_text='When the content was last read.', null=True)),
                ('checked_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When TMDB was last queried.')),
                ('movie', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tmdb_records', to='catalog.movie')),
            ],
            options={
                'verbose_name': 'TMDB record',
                'ordering': ['-checked_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Viewing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('watched_on', models.DateField(blank=True, help_text='Empty if the day is unknown.', null=True)),
                ('is_rewatch', models.BooleanField(default=False)),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When it was recorded, here or elsewhere.')),
                ('movie', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='catalog.movie')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='viewings', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': [models.OrderBy(models.F('watched_on'), descending=True, nulls_last=True), '-recorded_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='WatchlistItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('movie', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='catalog.movie')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watchlist', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-added_at', '-id'],
            },
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('source', 'external_id'), name='catalog_user_unique_external_id'),
        ),
        migrations.AddField(
            model_name='syncitem',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='catalog.syncrun'),
        ),
        migrations.AddField(
            model_name='userimport',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imports', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='importrow',
            name='user_import',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='catalog.userimport'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['status', 'heartbeat_at'], name='catalog_job_status'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['kind', '-created_at'], name='catalog_job_kind'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['queued', 'running']), models.Q(('exclusive', ''), _negated=True)), fields=('exclusive',), name='catalog_job_one_active'),
        ),
        migrations.AddConstraint(
            model_name='alternativetitle',
            constraint=models.UniqueConstraint(fields=('movie', 'title'), name='catalog_alternativetitle_unique'),
        ),
        migrations.AddIndex(
            model_name='moviegenre',
            index=models.Index(fields=['genre', 'movie'], name='catalog_moviegenre_by_genre'),
        ),
        migrations.AddConstraint(
            model_name='moviegenre',
            constraint=models.UniqueConstraint(fields=('movie', 'genre'), name='catalog_moviegenre_unique'),
        ),
        migrations.AddIndex(
            model_name='moviekeyword',
            index=models.Index(fields=['keyword', 'movie'], name='catalog_moviekeyword_by_kw'),
        ),
        migrations.AddConstraint(
            model_name='moviekeyword',
            constraint=models.UniqueConstraint(fields=('movie', 'keyword'), name='catalog_moviekeyword_unique'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['-popularity', 'id', 'year', 'language', 'rating_count', 'rating_sum'], name='catalog_movie_popularity'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['-release_date', '-year', 'id', 'language', 'rating_count', 'rating_sum'], name='catalog_movie_newest'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['-rating_count', 'id', 'year', 'language', 'rating_sum'], name='catalog_movie_most_rated'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['-bayesian_mean', 'id', 'year', 'language', 'rating_count', 'rating_sum'], name='catalog_movie_best_rated'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['search_title', 'id', 'year', 'language', 'rating_count', 'rating_sum'], name='catalog_movie_title'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['language', 'year'], name='catalog_movie_language'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['updated_at'], name='catalog_movie_updated_at'),
        ),
        migrations.AddConstraint(
            model_name='movie',
            constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='catalog_movie_has_title'),
        ),
        migrations.AddConstraint(
            model_name='movie',
            constraint=models.CheckConstraint(condition=models.Q(('year__isnull', True), ('year__range', (1870, 2200)), _connector='OR'), name='catalog_movie_year_plausible'),
        ),
        migrations.AddConstraint(
            model_name='credit',
            constraint=models.UniqueConstraint(fields=('movie', 'person', 'role'), name='catalog_credit_unique'),
        ),
        migrations.AddIndex(
            model_name='rating',
            index=models.Index(fields=['user', '-rated_at'], name='catalog_rating_by_user'),
        ),
        migrations.AddIndex(
            model_name='rating',
            index=models.Index(fields=['rated_at'], name='catalog_rating_rated_at'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.UniqueConstraint(fields=('user', 'movie'), name='catalog_rating_unique'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('rating__in', [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0])), name='catalog_rating_in_half_stars'),
        ),
        migrations.AddIndex(
            model_name='tmdbrecord',
            index=models.Index(fields=['state', 'checked_at'], name='catalog_tmdbrecord_state'),
        ),
        migrations.AddIndex(
            model_name='tmdbrecord',
            index=models.Index(fields=['fetched_at'], name='catalog_tmdbrecord_fetched_at'),
        ),
        migrations.AddConstraint(
            model_name='viewing',
            constraint=models.UniqueConstraint(fields=('user', 'movie', 'watched_on'), name='catalog_viewing_unique'),
        ),
        migrations.AddConstraint(
            model_name='viewing',
            constraint=models.UniqueConstraint(condition=models.Q(('watched_on', None)), fields=('user', 'movie'), name='catalog_viewing_unknown_day_unique'),
        ),
        migrations.AddConstraint(
            model_name='watchlistitem',
            constraint=models.UniqueConstraint(fields=('user', 'movie'), name='catalog_watchlistitem_unique'),
        ),
        migrations.AddIndex(
            model_name='syncitem',
            index=models.Index(fields=['run', 'outcome', 'leased_until'], name='catalog_syncitem_due'),
        ),
        migrations.AddConstraint(
            model_name='syncitem',
            constraint=models.UniqueConstraint(fields=('run', 'kind', 'key'), name='catalog_syncitem_unique'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(fields=['user_import', 'movie', 'id'], name='catalog_importrow_by_movie'),
        ),
        migrations.RunPython(add_vector_of_postgres, drop_vector_of_postgres),
        migrations.RunPython(add_indexes_of_postgres, drop_indexes_of_postgres),
    ]
