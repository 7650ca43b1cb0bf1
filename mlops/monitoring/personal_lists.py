"""Personal lists that were shown to signed-in users."""

from django.db.models import QuerySet

from recommender.models import Impression

K = 10  # places of a list that count
PERSONAL = ("home:for-you", "api:recommendations", "api:recommend")  # surfaces


def personal_lists() -> QuerySet[Impression]:
    """Lists for known users, made by the champion of the time."""
    rows = Impression.objects.filter(surface__in=PERSONAL, user__isnull=False, fallback="")
    return rows.filter(model_version__isnull=False)
