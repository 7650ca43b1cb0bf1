"""The catalog's sections of the policy. Every key has a default, bounds and a description in docs/configuration.md.

Code reads `settings.POLICY.<section>`, which `movierec.policy` composes from the sections of all apps.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

KB, MB = 1 << 10, 1 << 20  # bytes; units of keys that end in _kb and _mb

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def key(default: Any, meaning: str, **bounds: Any) -> Any:
    """Returns a key of a section. `docs/configuration.md` lists its default, meaning and bounds."""
    return Field(default, description=meaning, **bounds)


class PopularityPolicy(Section):
    half_life_days: Positive = key(30, "days after which a rating counts half as much for popularity")
    liked_from: float | None = key(3.5, "lowest rating that counts for popularity; null: any", ge=0.5, le=5.0)


class TMDBPolicy(Section):
    requests_per_second: int = key(25, "requests of all workers together", ge=1, le=1000)
    connections: int = key(8, "open connections of each worker", ge=1, le=50)
    lease_seconds: float = key(60, "time until other workers retry a dead worker's items", gt=0, le=600)
    adult: bool = key(False, "whether to import adult movies")
    unreleased: bool = key(False, "whether to import movies before their release")
    min_votes: int = key(10, "TMDB votes that a new release needs to be imported", ge=0)
    max_cast: int = key(20, "actors stored per movie, in billing order", ge=0, le=500)
    refresh_days: Count = key(150, "age at which metadata is fetched again")
    offers_refresh_days: Count = key(14, "age at which it is fetched again where the site says where to watch movies")
    max_age_days: Count = key(180, "age at which metadata is deleted, as TMDB's terms require")

    def model_post_init(self, context: Any) -> None:
        if self.refresh_days >= self.max_age_days:
            raise ValueError("refresh_days must be below max_age_days, or metadata is deleted before it is refreshed")


class WikidataPolicy(Section):
    """Facts from Wikidata, which needs no account."""

    pause_seconds: float = key(1.0, "pause after each request; one is under way at a time", gt=0, le=60)
    languages: list[str] = key(
        ["en", "vi", "de", "es", "fr", "it", "ja", "ko", "pt", "ru", "zh"],
        "languages of titles and names; the first one that has a name gives it",
        min_length=1,
        max_length=40,
    )
    max_cast: int = key(20, "actors stored per movie", ge=0, le=500)
    refresh_days: Count = key(30, "age at which facts are read again")
    stale_after_seconds: float = key(120, "time without a heartbeat after which a sync is retried", ge=10, le=3600)


class ImportsPolicy(Section):
    """Uploads of a person's own ratings."""

    max_upload_mb: int = key(32, "size of an upload", ge=1, le=500)
    max_unpacked_mb: int = key(256, "size of an unpacked zip", ge=1, le=2000)
    max_files: Count = key(2000, "files in a zip")
    max_entries: Count = key(100_000, "rows of an upload")
    stale_after_seconds: int = key(25, "time without a heartbeat after which an import is retried", ge=10)
    attempts: Count = key(3, "attempts before an import fails")
    keep_days: Count = key(30, "how long previews and unmatched rows are kept")
    max_choices: Count = key(2000, "movies that a user has chosen for unmatched rows, remembered for later rows")


class FollowingPolicy(Section):
    """Followed sources: profiles and files at other sites, from which new rows are imported."""

    every_hours: Positive = key(6, "pause between two syncs of a source; doubled after each failure, up to a week")
    max_sources: Count = key(10, "sources that one account follows")
    syncs_a_minute: Count = key(10, "due syncs that are started in a minute")
    max_seconds: float = key(60, "time for one answer of another site, redirects included", gt=0, le=600)


class JobsPolicy(Section):
    heartbeat_seconds: float = key(5, "seconds between two heartbeats of a job", gt=0, le=10)


class AccountsPolicy(Section):
    confirm_email: Literal["optional", "mandatory"] = key(
        "optional", "mandatory: on a site that sends mail people confirm their address before they have an account"
    )
    sign_up: Literal["open", "invitation", "closed"] = key(
        "open", "who may make an account: everybody, people with a link from staff, or no one"
    )
    members_only: bool = key(False, "whether only people with an account see the site and its API")


class BulkPolicy(Section):
    """Requests to the bulk API."""

    max_lines: int = key(10_000, "lines of a request", ge=1, le=100_000)
    max_upload_mb: int = key(16, "size of a request", ge=1, le=100)


class HooksPolicy(Section):
    """Events of media servers."""

    max_body_kb: int = key(2048, "size of an event, its picture included", ge=16, le=10_240)
    keep_events: int = key(50, "events that an account's page shows", ge=1, le=1000)


class CatalogPolicy(Section):
    popularity: PopularityPolicy = PopularityPolicy()
    tmdb: TMDBPolicy = TMDBPolicy()
    wikidata: WikidataPolicy = WikidataPolicy()
    imports: ImportsPolicy = ImportsPolicy()
    following: FollowingPolicy = FollowingPolicy()
    jobs: JobsPolicy = JobsPolicy()
    bulk: BulkPolicy = BulkPolicy()
    accounts: AccountsPolicy = AccountsPolicy()
    hooks: HooksPolicy = HooksPolicy()
