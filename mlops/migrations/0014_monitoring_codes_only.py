"""Removes the sentences that findings have replaced."""
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mlops', '0013_monitoring_codes'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='alert',
            name='message',
        ),
        migrations.RemoveField(
            model_name='backtest',
            name='sentence',
        ),
        migrations.RemoveField(
            model_name='retrainingcheck',
            name='outcome',
        ),
        migrations.AlterField(
            model_name='alert',
            name='mailed_at',
            field=models.DateTimeField(blank=True, help_text='When the e-mail about its beginning was sent.', null=True),
        ),
        migrations.AlterField(
            model_name='alert',
            name='subject',
            field=models.CharField(blank=True, help_text='Provider or the like, where the code needs one.', max_length=60),
        ),
        migrations.AlterField(
            model_name='backtest',
            name='figures',
            field=models.JSONField(help_text='Each evaluated model, with its difference from the full or fresh one.'),
        ),
        migrations.AlterField(
            model_name='backtest',
            name='kind',
            field=models.CharField(choices=[('features', 'ablation of features'), ('staleness', 'training on older data')], max_length=16),
        ),
        migrations.AlterField(
            model_name='driftreport',
            name='checks',
            field=models.JSONField(help_text='A finding for each check, with its thresholds and sample sizes.'),
        ),
        migrations.AlterField(
            model_name='driftreport',
            name='reference_start',
            field=models.DateTimeField(help_text='Start of the reference window.', null=True),
        ),
        migrations.AlterField(
            model_name='onlinemetrics',
            name='hits',
            field=models.PositiveIntegerField(default=0, help_text='Ratings of a movie in the first ten places.'),
        ),
        migrations.AlterField(
            model_name='onlinemetrics',
            name='n',
            field=models.PositiveIntegerField(default=0, help_text='Scored positive ratings.'),
        ),
        migrations.AlterField(
            model_name='onlinemetrics',
            name='n_shown',
            field=models.PositiveIntegerField(default=0, help_text='Of those, scored against a list that was shown.'),
        ),
        migrations.AlterField(
            model_name='onlinemetrics',
            name='ndcg_square_sum',
            field=models.FloatField(default=0, help_text='For confidence intervals.'),
        ),
        migrations.AlterField(
            model_name='promotion',
            name='kind',
            field=models.CharField(choices=[('automatic', 'automatic'), ('promoted', 'promoted by a person'), ('forced', 'forced by a person'), ('rolled_back', 'rolled back'), ('auto_rollback', 'rolled back automatically')], max_length=16),
        ),
        migrations.AlterField(
            model_name='promotion',
            name='reason',
            field=models.TextField(blank=True, help_text='As given by a person.'),
        ),
        migrations.AlterField(
            model_name='retrainingcheck',
            name='criteria',
            field=models.JSONField(help_text='A finding for each criterion.'),
        ),
        migrations.AlterField(
            model_name='watermark',
            name='last_id',
            field=models.PositiveBigIntegerField(default=0, help_text='Key of the last processed row with this time.'),
        ),
        migrations.AlterField(
            model_name='watermark',
            name='name',
            field=models.CharField(choices=[('online_metrics', 'online metrics'), ('beat', 'heartbeat of the scheduler')], max_length=40, unique=True),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('code', 'subject'), name='mlops_alert_one_open'),
        ),
    ]
