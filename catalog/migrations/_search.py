"""What only Postgres has for search."""

VECTOR = (
    "search_vector tsvector"
    " GENERATED ALWAYS AS (array_to_tsvector(string_to_array(btrim(search_terms), ' '))) STORED"
)


def add_vector_of_postgres(apps, schema_editor):
    """The terms once more, as Postgres compares them: it keeps the column itself, Django's models know nothing of it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE catalog_movie ADD COLUMN {VECTOR}")


def drop_vector_of_postgres(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE catalog_movie DROP COLUMN search_vector")


def add_indexes_of_postgres(apps, schema_editor):
    """The index of search, which SQLite has not, without a list of pending entries: each search would have to read it
    after an import. And that of the newest in the order they are shown in: dates that are missing last, where SQLite
    has them by itself."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX catalog_movie_search ON catalog_movie USING gin (search_vector) WITH (fastupdate = off)"
        )
        schema_editor.execute(
            "CREATE INDEX catalog_movie_newest_nulls_last ON catalog_movie"
            " (release_date DESC NULLS LAST, year DESC NULLS LAST, id, language, rating_count, rating_sum)"
        )


def drop_indexes_of_postgres(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX catalog_movie_search, catalog_movie_newest_nulls_last")


def add_search_of_people(apps, schema_editor):
    """The same for people: a column that Postgres keeps, and its index."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE catalog_person ADD COLUMN {VECTOR}")
        schema_editor.execute(
            "CREATE INDEX catalog_person_search ON catalog_person USING gin (search_vector) WITH (fastupdate = off)"
        )


def drop_search_of_people(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE catalog_person DROP COLUMN search_vector")
