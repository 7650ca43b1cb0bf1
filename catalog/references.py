"""Finds movies that nothing on the site refers to: no rating, watchlist, impression or hand edit."""

from django.db.models import Model, QuerySet

from catalog.models import AlternativeTitle, Credit, Movie, MovieGenre, MovieKeyword, Source, TMDBRecord

LINKS: tuple[type[Model], ...] = (MovieGenre, MovieKeyword, Credit, AlternativeTitle)


def unreferenced(movies: QuerySet[Movie]) -> list[int]:
    """Keys of movies that only imported metadata refers to. Checks every model with a relation to Movie."""
    for relation in Movie._meta.related_objects:
        model = relation.related_model
        if not isinstance(model, type) or relation.many_to_many or model is TMDBRecord:
            continue
        rows = model._default_manager.exclude(**{relation.field.name: None})
        if model in LINKS:
            rows = rows.filter(source=Source.SITE)
        movies = movies.exclude(pk__in=rows.values(relation.field.attname))
    return [pk for pk, sources in movies.values_list("pk", "field_sources") if Source.SITE not in sources.values()]
