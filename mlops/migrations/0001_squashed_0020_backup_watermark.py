"""All migrations since the first, as one, for a new database; one that has some of them goes on with those."""

import django.db.models.deletion
import django.utils.timezone
import mlops.models.data
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('mlops', '0001_initial'),
        ('mlops', '0002_data_versions'),
        ('mlops', '0003_gate'),
        ('mlops', '0004_live_quality'),
        ('mlops', '0005_tuning'),
        ('mlops', '0006_backtests'),
        ('mlops', '0007_online_metrics'),
        ('mlops', '0008_gate_decision'),
        ('mlops', '0009_gate_codes'),
        ('mlops', '0010_user_pseudonym'),
        ('mlops', '0011_data_codes'),
        ('mlops', '0012_training_jobs'),
        ('mlops', '0013_monitoring_codes'),
        ('mlops', '0014_monitoring_codes_only'),
        ('mlops', '0015_test_evidence'),
        ('mlops', '0016_status_labels'),
        ('mlops', '0017_retraining_trigger'),
        ('mlops', '0018_site_identity'),
        ('mlops', '0019_trial_errors'),
        ('mlops', '0020_backup_watermark'),
    ]

    dependencies = [
        ('catalog', '0001_squashed_0016_reason_codes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Dependency',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('state', models.JSONField(default=dict)),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name_plural': 'dependencies',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='DriftReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('ok', 'ok'), ('warn', 'warning'), ('alert', 'alert'), ('insufficient_data', 'insufficient data')], max_length=20)),
                ('checks', models.JSONField(help_text='A finding for each check, with its thresholds and sample sizes.')),
                ('reference_start', models.DateTimeField(help_text='Start of the reference window.', null=True)),
                ('window_start', models.DateTimeField()),
                ('window_end', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SiteIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False)),
            ],
            options={
                'verbose_name_plural': 'site identities',
            },
        ),
        migrations.CreateModel(
            name='UserPseudonym',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pseudonym', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('number', models.BigIntegerField(default=mlops.models.data.new_pseudonym, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Watermark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(choices=[('online_metrics', 'online metrics'), ('beat', 'heartbeat of the scheduler'), ('backup', 'backup')], max_length=40, unique=True)),
                ('at', models.DateTimeField()),
                ('last_id', models.PositiveBigIntegerField(default=0, help_text='Key of the last processed row with this time.')),
            ],
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=60)),
                ('subject', models.CharField(blank=True, help_text='Provider or the like, where the code needs one.', max_length=60)),
                ('findings', models.JSONField(default=list)),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('mailed_at', models.DateTimeField(blank=True, help_text='When the e-mail about its beginning was sent.', null=True)),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('code', 'subject'), name='mlops_alert_one_open')],
            },
        ),
        migrations.CreateModel(
            name='DatasetSnapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_hash', models.CharField(max_length=64, unique=True)),
                ('folder', models.CharField(help_text='Folder below SNAPSHOT_DIR.', max_length=120)),
                ('n_ratings', models.PositiveIntegerField()),
                ('n_users', models.PositiveIntegerField()),
                ('n_movies', models.PositiveIntegerField()),
                ('first_rated_at', models.DateTimeField(null=True)),
                ('last_rated_at', models.DateTimeField(null=True)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('sources', models.JSONField(default=list, help_text='Where its ratings and metadata came from.')),
                ('exported_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('checks', models.CharField(choices=[('none', 'not checked'), ('passed', 'passed'), ('failed', 'failed')], default='none', max_length=8)),
                ('check_report', models.JSONField(blank=True, default=dict, help_text='The result of the data checks.')),
                ('pushed_at', models.DateTimeField(blank=True, help_text='When DVC pushed it to the remote.', null=True)),
                ('removed_at', models.DateTimeField(blank=True, help_text='When its files were removed.', null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_reason', models.TextField(blank=True)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='mlops.datasetsnapshot')),
                ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-exported_at', '-id'],
                'permissions': [('withdraw_datasetsnapshot', 'Can withdraw snapshots, and with them their files')],
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('algorithm', models.CharField(max_length=32)),
                ('parameters', models.JSONField(default=dict, help_text='As given; what was chosen on an inner split is in `chosen`.')),
                ('chosen', models.JSONField(default=dict)),
                ('status', models.CharField(choices=[('candidate', 'candidate'), ('champion', 'champion'), ('former', 'former champion'), ('refused', 'refused')], default='candidate', max_length=16)),
                ('config_hash', models.CharField(max_length=64)),
                ('code_revision', models.CharField(blank=True, max_length=64)),
                ('random_state', models.IntegerField()),
                ('libraries', models.JSONField(default=dict)),
                ('threads', models.PositiveSmallIntegerField(help_text='Of the linear algebra in the fit: with another number sums differ in their last bits.', null=True)),
                ('figures', models.JSONField(default=dict, help_text='Evaluation: this model and the baselines on later data.')),
                ('artifact', models.CharField(help_text='Folder below MODEL_DIR.', max_length=200)),
                ('artifact_checksum', models.CharField(max_length=64)),
                ('artifact_bytes', models.PositiveBigIntegerField()),
                ('artifact_removed_at', models.DateTimeField(blank=True, help_text='When retention took the files.', null=True)),
                ('pushed_at', models.DateTimeField(blank=True, help_text='When DVC had brought it to the remote.', null=True)),
                ('reproduction', models.JSONField(blank=True, default=dict, help_text='What the last reproduction found.')),
                ('mlflow_run_id', models.CharField(blank=True, max_length=64)),
                ('mlflow_version', models.CharField(blank=True, max_length=16)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('snapshot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='mlops.datasetsnapshot')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('promote_modelversion', 'Can promote models that passed the gate, and roll back'), ('force_modelversion', 'Can promote models that did not pass the gate')],
            },
        ),
        migrations.CreateModel(
            name='GateDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('passed', 'passed'), ('refused', 'refused'), ('not_enough_evidence', 'not enough evidence')], max_length=24)),
                ('rules', models.JSONField(help_text='A finding for each rule: code, figure, interval, threshold and outcome.')),
                ('reason', models.TextField(blank=True, help_text='Given by the person who refused it.')),
                ('decided_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('champion', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mlops.modelversion')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='mlops.modelversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Backtest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('features', 'ablation of features'), ('staleness', 'training on older data')], max_length=16)),
                ('figures', models.JSONField(help_text='Each evaluated model, with its difference from the full or fresh one.')),
                ('passed', models.BooleanField()),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='backtests', to='mlops.modelversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PipelineRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('job_ptr', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, parent_link=True, to='catalog.job')),
                ('algorithm', models.CharField(max_length=32)),
                ('parameters', models.JSONField(blank=True, default=dict)),
                ('snapshot', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='mlops.datasetsnapshot')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'permissions': [('start_training', 'Can start, cancel and repeat trainings')],
            },
            bases=('catalog.job',),
        ),
        migrations.AddField(
            model_name='modelversion',
            name='run',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='version', to='mlops.pipelinerun'),
        ),
        migrations.CreateModel(
            name='Promotion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('automatic', 'automatic'), ('promoted', 'promoted by a person'), ('forced', 'forced by a person'), ('rolled_back', 'rolled back'), ('auto_rollback', 'rolled back automatically')], max_length=16)),
                ('reason', models.TextField(blank=True, help_text='As given by a person.')),
                ('findings', models.JSONField(blank=True, default=list, help_text='Why the site rolled back by itself.')),
                ('promoted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('previous', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlops.modelversion')),
                ('promoted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='promotions', to='mlops.modelversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RetrainingCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('criteria', models.JSONField(help_text='A finding for each criterion.')),
                ('result', models.CharField(max_length=40)),
                ('params', models.JSONField(blank=True, default=dict, help_text="Values for the result's sentence.")),
                ('checked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mlops.pipelinerun')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='RunStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=32)),
                ('status', models.CharField(choices=[('running', 'running'), ('succeeded', 'succeeded'), ('failed', 'failed')], default='running', max_length=16)),
                ('activity', models.CharField(blank=True, choices=[('writing_ratings', '{done:,} ratings'), ('choosing_parameters', 'choosing what is not given'), ('fitting', 'fitting on all data'), ('saving', 'saving'), ('evaluating', '{done}/{total} {model}'), ('smoke_test', 'loading in a fresh process'), ('mlflow', 'MLflow')], max_length=32)),
                ('activity_details', models.JSONField(blank=True, default=dict)),
                ('share', models.FloatField(blank=True, help_text='Of this step, from 0 to 1.', null=True)),
                ('remaining_seconds', models.FloatField(blank=True, null=True)),
                ('figures', models.JSONField(blank=True, default=dict)),
                ('result', models.JSONField(blank=True, default=dict)),
                ('log', models.TextField(blank=True)),
                ('attempt', models.PositiveSmallIntegerField(default=1)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='mlops.pipelinerun')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='TestEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('test', models.CharField(help_text='As in the rubric: D1 to D7, M1 to M7, I1 to I7, Mo1 to Mo7.', max_length=4)),
                ('source', models.CharField(choices=[('pytest', 'test suite'), ('beat', 'scheduled task'), ('gate', 'promotion gate')], max_length=8)),
                ('code', models.CharField(help_text='The check, with its subject.', max_length=200)),
                ('passed', models.BooleanField()),
                ('is_automatic', models.BooleanField(help_text='Run by CI, Beat or the gate, not by hand.')),
                ('findings', models.JSONField(default=list, help_text='The finding of the check, then the findings behind it.')),
                ('revision', models.CharField(blank=True, help_text='Revision of the checked code.', max_length=64)),
                ('ran_at', models.DateTimeField()),
                ('passed_at', models.DateTimeField(blank=True, help_text='When it last passed.', null=True)),
            ],
            options={
                'verbose_name': 'test evidence',
                'verbose_name_plural': 'test evidence',
                'ordering': ['test', 'source', 'code'],
                'constraints': [models.UniqueConstraint(fields=('test', 'source', 'code'), name='mlops_testevidence_unique')],
            },
        ),
        migrations.CreateModel(
            name='TuningStudy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('algorithm', models.CharField(max_length=32)),
                ('given', models.JSONField(default=dict, help_text='Hyper-parameters that are not searched for.')),
                ('space', models.JSONField(help_text='What is searched: a range or choices for each hyper-parameter.')),
                ('recipe', models.CharField(help_text='Hash of all that makes two searches the same.', max_length=64)),
                ('n_trials', models.PositiveIntegerField(help_text='How many are to be tried, beside what is used now.')),
                ('difference', models.JSONField(blank=True, help_text="The best trial's nDCG less that of what was used.", null=True)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('mlflow_run_id', models.CharField(blank=True, max_length=64)),
                ('snapshot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tuning_studies', to='mlops.datasetsnapshot')),
            ],
            options={
                'verbose_name_plural': 'tuning studies',
                'ordering': ['-id'],
                'permissions': [('adopt_parameters', 'Can let trainings use what a search found, and end that')],
            },
        ),
        migrations.CreateModel(
            name='TuningTrial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[('finished', 'finished'), ('stopped', 'stopped early'), ('failed', 'failed')], max_length=16)),
                ('parameters', models.JSONField(help_text='All hyper-parameters of the trial.')),
                ('scores', models.JSONField(default=list, help_text='nDCG after each cut that it came to.')),
                ('ndcg', models.FloatField(blank=True, help_text='Over all users of those cuts.', null=True)),
                ('seconds', models.FloatField()),
                ('details', models.JSONField(blank=True, default=dict, help_text='What the estimator raised, as `error`.')),
                ('ended_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('mlflow_run_id', models.CharField(blank=True, max_length=64)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trials', to='mlops.tuningstudy')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='ParameterChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('algorithm', models.CharField(max_length=32)),
                ('parameters', models.JSONField()),
                ('adopted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('adopted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('trial', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='choices', to='mlops.tuningtrial')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='QuarantinedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('rating', 'rating'), ('movie', 'movie')], max_length=8)),
                ('content', models.JSONField()),
                ('reasons', models.JSONField(help_text='Codes of the rules that it broke.')),
                ('movie_id', models.BigIntegerField(db_index=True, null=True)),
                ('found_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('released_at', models.DateTimeField(blank=True, null=True)),
                ('release_reason', models.TextField(blank=True)),
                ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('snapshot', models.ForeignKey(help_text='The last one with it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='quarantined', to='mlops.datasetsnapshot')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mlops.userpseudonym', to_field='number')),
            ],
            options={
                'ordering': ['-id'],
                'permissions': [('release_quarantinedrow', 'Can release rows from quarantine')],
            },
        ),
        migrations.CreateModel(
            name='OnlineMetrics',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('n', models.PositiveIntegerField(default=0, help_text='Scored positive ratings.')),
                ('n_shown', models.PositiveIntegerField(default=0, help_text='Of those, scored against a list that was shown.')),
                ('hits', models.PositiveIntegerField(default=0, help_text='Ratings of a movie in the first ten places.')),
                ('ndcg_sum', models.FloatField(default=0)),
                ('ndcg_square_sum', models.FloatField(default=0, help_text='For confidence intervals.')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='online_metrics', to='mlops.modelversion')),
            ],
            options={
                'verbose_name': 'online metrics',
                'verbose_name_plural': 'online metrics',
                'ordering': ['-day', '-version'],
                'constraints': [models.UniqueConstraint(fields=('version', 'day'), name='mlops_onlinemetrics_unique')],
            },
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'champion')), fields=('status',), name='mlops_version_one_champion'),
        ),
        migrations.AddIndex(
            model_name='retrainingcheck',
            index=models.Index(fields=['checked_at'], name='mlops_retraining_checked_at'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.UniqueConstraint(fields=('run', 'name', 'attempt'), name='mlops_runstep_unique'),
        ),
        migrations.AddConstraint(
            model_name='tuningtrial',
            constraint=models.UniqueConstraint(fields=('study', 'number'), name='mlops_tuningtrial_unique'),
        ),
        migrations.AddConstraint(
            model_name='parameterchoice',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('algorithm',), name='mlops_choice_one_in_force'),
        ),
    ]
