import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

from catalog.migrations._search import (
    add_indexes_of_postgres,
    add_vector_of_postgres,
    drop_indexes_of_postgres,
    drop_vector_of_postgres,
)
from catalog.text import fold, search_terms

BATCH = 2000


def fill_search(apps, schema_editor):
    """For the movies that are there, in batches that bound the memory."""
    Movie = apps.get_model("catalog", "Movie")
    SearchTerm = apps.get_model("catalog", "SearchTerm")
    AlternativeTitle = apps.get_model("catalog", "AlternativeTitle")
    keys = list(Movie.objects.order_by("pk").values_list("pk", flat=True))
    terms = set()
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        titles = {key: list(dict.fromkeys(own)) for key, *own in _titles(Movie, batch)}
        names = {key: list(own) for key, own in titles.items()}
        for key, title in AlternativeTitle.objects.filter(movie__in=batch).order_by("title").values_list("movie", "title"):
            names[key].append(title)
        rows = [(fold(" ".join(own))[:620], search_terms(names[key]), key) for key, own in titles.items()]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany("UPDATE catalog_movie SET search_title = %s, search_terms = %s WHERE id = %s", rows)
        terms.update(term for _, text, _ in rows for term in text.split())
    new = (SearchTerm(term=term, reversed=term[::-1], length=len(term)) for term in sorted(terms))
    SearchTerm.objects.bulk_create(new, batch_size=BATCH)


def _titles(Movie, keys):
    return Movie.objects.filter(pk__in=keys).values_list("pk", "title", "original_title")


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_histories'),
    ]

    operations = [
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
        migrations.RemoveIndex(
            model_name='movie',
            name='catalog_movie_search_title',
        ),
        migrations.RemoveIndex(
            model_name='movie',
            name='catalog_movie_popularity',
        ),
        migrations.RemoveIndex(
            model_name='movie',
            name='catalog_movie_newest',
        ),
        migrations.RemoveIndex(
            model_name='movie',
            name='catalog_movie_most_rated',
        ),
        migrations.AddField(
            model_name='movie',
            name='bayesian_mean',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('rating_sum'), '+', models.Value(66.0)), '/', django.db.models.expressions.CombinedExpression(models.F('rating_count'), '+', models.Value(20.0))), output_field=models.FloatField()),
        ),
        migrations.AddField(
            model_name='movie',
            name='search_terms',
            field=models.TextField(blank=True, editable=False, help_text='What search finds the movie by.'),
        ),
        migrations.RunPython(add_vector_of_postgres, drop_vector_of_postgres),
        migrations.RunPython(fill_search, migrations.RunPython.noop, elidable=True),
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
            model_name='moviekeyword',
            index=models.Index(fields=['keyword', 'movie'], name='catalog_moviekeyword_by_kw'),
        ),
        migrations.AlterField(
            model_name='moviegenre',
            name='movie',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.movie'),
        ),
        migrations.AlterField(
            model_name='moviegenre',
            name='genre',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.genre'),
        ),
        migrations.AlterField(
            model_name='moviekeyword',
            name='movie',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.movie'),
        ),
        migrations.AlterField(
            model_name='moviekeyword',
            name='keyword',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='catalog.keyword'),
        ),
        migrations.RunPython(add_indexes_of_postgres, drop_indexes_of_postgres),
    ]
