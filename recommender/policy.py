"""The recommender's section of the policy."""

from pydantic import Field

from catalog.policy import Count, Section, Share


class ServingPolicy(Section):
    # Together below 60 seconds: a new movie is in lists within a minute.
    refresh_seconds: float = Field(5, gt=0, le=15, description="how often a web process looks for a promoted model")
    new_movies_refresh_seconds: float = Field(30, gt=0, le=45, description="how often it looks for new movies")
    new_share: Share = Field(0.2, description="share of new movies in a blended list")
    diversity: Share = Field(0.67, description="0 ranks by score alone, 1 prefers movies unlike those above them")
    impressions_days: Count = Field(90, description="how long shown lists are kept")
    stats_days: Count = Field(30, description="how long serving statistics by minute are kept")


class RecommenderPolicy(Section):
    serving: ServingPolicy = ServingPolicy()
