"""The catalog's sections of the policy. Every key has a default, bounds and a meaning; see docs/configuration.md.

Code reads `settings.POLICY.<section>`, which `movierec.policy` composes from the sections of all apps.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PopularityPolicy(Section):
    half_life_days: Positive = Field(30, description="days after which a rating counts half as much for popularity")


class TMDBPolicy(Section):
    requests_per_second: int = Field(25, ge=1, le=1000, description="requests of all workers together")
    connections: int = Field(8, ge=1, le=50, description="open connections of each worker")
    lease_seconds: float = Field(60, gt=0, le=600, description="time until other workers retry a dead worker's items")
    adult: bool = Field(False, description="whether to import adult movies")
    unreleased: bool = Field(False, description="whether to import movies before their release")
    min_votes: int = Field(10, ge=0, description="TMDB votes that a new release needs to be imported")
    max_cast: int = Field(20, ge=0, le=500, description="actors stored per movie, in billing order")
    refresh_days: Count = Field(150, description="age at which metadata is fetched again")
    max_age_days: Count = Field(180, description="age at which metadata is deleted, as TMDB's terms require")

    def model_post_init(self, context: Any) -> None:
        if self.refresh_days >= self.max_age_days:
            raise ValueError("refresh_days must be below max_age_days, or metadata is deleted before it is refreshed")


class ImportsPolicy(Section):
    """Uploads of a person's own ratings."""

    max_upload_mb: int = Field(32, ge=1, le=500, description="size of an upload")
    max_unpacked_mb: int = Field(256, ge=1, le=2000, description="size of an unpacked zip")
    max_files: Count = Field(2000, description="files in a zip")
    max_entries: Count = Field(100_000, description="rows of an upload")
    stale_after_seconds: int = Field(60, ge=10, description="time without a heartbeat after which an import is retried")
    attempts: Count = Field(3, description="attempts before an import fails")
    keep_days: Count = Field(30, description="how long previews and unmatched rows are kept")


class BulkPolicy(Section):
    """Requests to the bulk API."""

    max_lines: int = Field(10_000, ge=1, le=100_000, description="lines of a request")
    max_upload_mb: int = Field(16, ge=1, le=100, description="size of a request")


class CatalogPolicy(Section):
    popularity: PopularityPolicy = PopularityPolicy()
    tmdb: TMDBPolicy = TMDBPolicy()
    imports: ImportsPolicy = ImportsPolicy()
    bulk: BulkPolicy = BulkPolicy()
