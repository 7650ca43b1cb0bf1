"""Lists by one's own taste, as they were shown."""

from django.db.models import QuerySet

from recommender.models import Impression

K = 10  # of a list counts what stands first
PERSONAL = ("home:for-you", "api:recommendations", "api:recommend")  # surfaces


def personal_lists() -> QuerySet[Impression]:
    """Of people who are known, made by the champion of their time."""
    rows = Impression.objects.filter(surface__in=PERSONAL, user__isnull=False, fallback="")
    return rows.filter(model_version__isnull=False)
