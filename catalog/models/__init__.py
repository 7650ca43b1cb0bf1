"""Models for users, movies and their metadata, users' ratings and lists, and the records of syncs and imports."""

from catalog.models.api_key import APIKey, Scope
from catalog.models.followed import FollowedRow, FollowedSource, SourceSync
from catalog.models.hook import Hook, HookEvent
from catalog.models.imports import ColumnMapping, ImportRow, ImportRun, SampleLoad, UserImport
from catalog.models.invitation import Invitation, PendingSignUp
from catalog.models.job import Job
from catalog.models.match_choice import MatchChoice
from catalog.models.metadata import (
    GENRES,
    AlternativeTitle,
    Credit,
    Genre,
    Keyword,
    MovieGenre,
    MovieKeyword,
    Offer,
    Person,
    SearchTerm,
    WatchService,
    genre_label,
)
from catalog.models.movie import Movie
from catalog.models.personal import MovieList, MovieListItem, Note, Profile
from catalog.models.picture import Picture
from catalog.models.rating import Rating, User, Viewing, WatchlistItem
from catalog.models.request_count import RequestCount
from catalog.models.site_settings import SiteSettings
from catalog.models.source import PROVIDERS, Source
from catalog.models.sync import SyncItem, SyncRun, TMDBRecord
from catalog.models.wikidata import WikidataItem, WikidataRecord, WikidataRun, WikipediaArticle
