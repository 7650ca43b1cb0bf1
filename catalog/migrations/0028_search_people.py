from django.db import migrations, models

from catalog.migrations._search import add_search_of_people, drop_search_of_people
from catalog.text import search_terms

BATCH = 2000


def fill_search(apps, schema_editor):
    """For the people that are there, in batches that bound the memory."""
    people = apps.get_model("catalog", "Person").objects.order_by("pk").values_list("pk", "name")
    last = 0
    while batch := list(people.filter(pk__gt=last)[:BATCH]):
        last = batch[-1][0]
        rows = [(search_terms([name]), key) for key, name in batch]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany("UPDATE catalog_person SET search_terms = %s WHERE id = %s", rows)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0027_where_to_watch"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="search_terms",
            field=models.TextField(
                blank=True, default="", editable=False, help_text="Terms that search matches."
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill_search, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(add_search_of_people, drop_search_of_people),
    ]
