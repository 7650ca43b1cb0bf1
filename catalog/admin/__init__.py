"""Admin of the catalogue. Changes that affect figures go through the services."""

from django.contrib import admin

from catalog.admin.metadata import AlternativeTitleAdmin, CreditAdmin, GenreAdmin, KeywordAdmin, LinkAdmin, PersonAdmin
from catalog.admin.movies import MovieAdmin
from catalog.admin.records import ImportRunAdmin, SyncRunAdmin, TMDBRecordAdmin, UserImportAdmin
from catalog.admin.users import RatingAdmin, UserAdmin, ViewingAdmin, WatchlistItemAdmin
from catalog.models import (
    AlternativeTitle,
    Credit,
    Genre,
    ImportRun,
    Keyword,
    Movie,
    MovieGenre,
    MovieKeyword,
    Person,
    Rating,
    SyncRun,
    TMDBRecord,
    User,
    UserImport,
    Viewing,
    WatchlistItem,
)

admin.site.site_header = admin.site.site_title = "Movierec"
admin.site.index_title = "Administration"

admin.site.register(Movie, MovieAdmin)
admin.site.register(Genre, GenreAdmin)
admin.site.register(Keyword, KeywordAdmin)
admin.site.register(Person, PersonAdmin)
admin.site.register(Credit, CreditAdmin)
admin.site.register([MovieGenre, MovieKeyword], LinkAdmin)
admin.site.register(AlternativeTitle, AlternativeTitleAdmin)
admin.site.register(Rating, RatingAdmin)
admin.site.register(WatchlistItem, WatchlistItemAdmin)
admin.site.register(Viewing, ViewingAdmin)
admin.site.register(UserImport, UserImportAdmin)
admin.site.register(ImportRun, ImportRunAdmin)
admin.site.register(SyncRun, SyncRunAdmin)
admin.site.register(TMDBRecord, TMDBRecordAdmin)
admin.site.register(User, UserAdmin)
