"""English and Vietnamese: the selection of the language, and complete translations."""

import re
import shutil
import subprocess
import sys
from functools import partial
from gettext import GNUTranslations
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polib
import pytest
from django.contrib.admin import site
from django.urls import reverse
from django.utils import translation

from catalog.models import SiteSettings
from tests.factories import GenreFactory, MovieFactory, RatingFactory, UserFactory
from tests.processes import ROOT, environment
from tests.source_tree import APPS
from tests.swapped_texts import FUNCTIONS, KEPT

pytestmark = pytest.mark.once

TEXTS = ROOT / "locale/vi/LC_MESSAGES/django.po"
FOLDERS = ["catalog", "recommender", "mlops", "movierec", "templates", "locale", "deploy"]
FILES = ["manage.py", "config.yaml", "CHANGELOG.md"]
VIETNAMESE = {"Accept-Language": "vi-VN,vi;q=0.9,en;q=0.8"}
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-zA-Z]|%[sdrg]|\{\w*\}|<[^<>]+>")

# What has no words for readers, or words that are the same in all languages.
WORDLESS = re.compile(
    r"\{% comment.*?endcomment %\}|\{% blocktranslate\b.*?endblocktranslate %\}|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}"
    r"|<(script|style|code|pre)\b.*?</\1>|<meta\b[^>]*>|&\w+;|\b(?:TMDB|IMDb|MLflow|nDCG)\b",
    re.DOTALL,
)
# Names, and texts of placeholders alone.
SAME_IN_BOTH = {"API", "Exchange", "ID", "MFA", "MLflow", "MovieLens", "TMDB", "WebAuthn", "Wikidata"}
SAME_IN_BOTH |= {"%(truncated_text)s…", "{done}/{total} {model}"}
READ_ALOUD = re.compile(r'\b(?:title|alt|aria-label|aria-description|placeholder|data-label)="([^"]*)"')
SAME = re.compile(
    r"\b(nora(@example\.org)?|Movierec|API|IMDb|TMDB|English|Tiếng Việt|Letterboxd|Trakt|Jellyfin|Emby|Plex|"
    r"Kodi|Yamtrack|Movary|Ryot|Simkl|WeTrakr|CSV|JSON|zip|csv|json|MB)\b"
)


@pytest.mark.django_db
def test_the_browser_s_language_is_spoken(client):
    page = client.get("/movies/", headers=VIETNAMESE)

    assert '<html lang="vi">' in page.content.decode()
    assert page["Content-Language"] == "vi"
    assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))
    assert '<html lang="en">' in client.get("/movies/", headers={"Accept-Language": "fr, de;q=0.9"}).content.decode()


@pytest.mark.django_db
def test_a_chosen_language_stays(client):
    chosen = client.post("/language/", {"language": "vi", "next": "/movies/?genre=drama"})

    assert chosen["Location"] == "/movies/?genre=drama"
    assert '<html lang="vi">' in client.get("/movies/", headers={"Accept-Language": "en"}).content.decode()
    client.post("/language/", {"language": "en"})
    assert '<html lang="en">' in client.get("/movies/", headers=VIETNAMESE).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["", "*", "fr, de;q=0.9", "x" * 600, "zz;q=x"])
def test_who_asks_for_no_known_language_reads_the_site_s(client, settings, asked):
    settings.SITE_LANGUAGE = ""
    SiteSettings.objects.create(language="vi")
    headers = {"Accept-Language": asked} if asked else {}

    assert client.get("/movies/", headers=headers)["Content-Language"] == "vi"
    assert client.get("/movies/", headers={"Accept-Language": "fr, en;q=0.5"})["Content-Language"] == "en"
    client.cookies["django_language"] = "../vi"
    assert client.get("/movies/", headers={"Accept-Language": "en"})["Content-Language"] == "en"


@pytest.mark.django_db
def test_an_unknown_language_is_refused(client):
    refused = client.post("/language/", {"language": "<x>"})

    assert refused.status_code == 400
    assert "en, vi" in refused.content.decode()
    assert client.post("/language/", {"language": "vi", "next": "https://elsewhere.example/"})["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.wording
def test_errors_of_the_api_keep_their_codes(client):
    english, vietnamese = (client.get("/api/v1/movies/9/", headers={"Accept-Language": code}) for code in ("en", "vi"))

    assert english.json()["error"]["code"] == vietnamese.json()["error"]["code"] == "not_found"
    assert english.json()["error"]["message"] != vietnamese.json()["error"]["message"]


@pytest.mark.django_db
def test_pictures_are_the_same_in_all_languages(client):
    poster = client.get(f"/posters/{MovieFactory().pk}.svg", headers=VIETNAMESE)

    assert "Accept-Language" not in poster.get("Vary", "")


@pytest.mark.django_db
def test_charts_have_numbers_that_browsers_read(client):
    """Vietnamese writes 0,5; in an attribute of SVG that is no number."""
    nora, genres = UserFactory(), GenreFactory.create_batch(3)
    for at in range(7):
        movie = MovieFactory(year=1990 + at, runtime_minutes=91 + at, language="en")
        movie.genres.add(*genres[: 1 + at % 3])
        RatingFactory(user=nora, movie=movie, rating=0.5 + at / 2)
    client.force_login(nora)

    page = client.get("/statistics/", headers=VIETNAMESE).content.decode()
    numbers = re.findall(r'\b(?:x|y|x1|x2|y1|y2|cx|cy|r|width|height)="([^"]+)"', page)
    assert len(numbers) > 20
    assert [number for number in numbers if not re.fullmatch(r"-?[\d.]+(%|em|rem)?", number)] == []


@pytest.fixture
def unreadable(monkeypatch) -> None:
    """Every text becomes "øø"; what still reads as words is data, or was not given to gettext."""
    for name in FUNCTIONS:
        function = getattr(translation._trans, name)
        monkeypatch.setattr(translation._trans, name, lambda *given, function=function: _unreadable(function, given))


@pytest.mark.django_db
@pytest.mark.wording
def test_pages_show_no_words_outside_gettext(client, unreadable):
    nora = UserFactory(username="nora", email="nora@example.org")
    genre = GenreFactory(name="Drama", slug="drama")
    for year in (1999, 2005, 2012):
        movie = MovieFactory(title=str(year), year=year, language="")
        movie.genres.add(genre)
    RatingFactory(user=nora, movie=movie, rating=4.0)
    pages = ["/", "/welcome/", "/movies/", "/movies/?q=zzz", movie.get_absolute_url(), "/genres/drama/", "/nowhere/"]
    found = {page: _words_of(client.get(page)) for page in [*pages, "/accounts/sign-in/", "/accounts/sign-up/"]}
    client.force_login(nora)
    own = ["accounts", "ratings", "watchlist", "statistics", "diary", "diary/unrated", "lists", "import", "for-you"]
    own += [
        "accounts/keys",
        "accounts/delete",
        "accounts/password",
        "accounts/profile",
        "accounts/email",
        "not-interested",
    ]
    found |= {page: _words_of(client.get(page)) for page in [*pages, *(f"/{path}/" for path in own)]}
    assert {page: words for page, words in found.items() if words} == {}


@pytest.mark.django_db
@pytest.mark.wording
def test_the_admin_shows_no_words_outside_gettext(client, unreadable):
    """Names of models and fields, choices and hints: Django makes most of them from the code."""
    client.force_login(UserFactory(username="nora", email="", is_staff=True, is_superuser=True))
    found = {}
    for model in site._registry:
        if model._meta.app_label in APPS:
            pages = [f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}" for page in ("changelist", "add")]
            found |= {name: _words_of(page) for name in pages if (page := client.get(reverse(name))).status_code == 200}
    assert len(found) > 30
    icons = {"Search", "True", "False"}  # which Django's templates name in English alone
    assert {page: words for page, words in found.items() if set(words) - icons} == {}


@pytest.mark.django_db
@pytest.mark.wording
def test_the_admin_asks_for_no_text_without_vietnamese(client, monkeypatch):
    """The libraries' texts, too: what gettext gives back unchanged has no translation anywhere."""
    missing: set[str] = set()
    for name in FUNCTIONS:
        function = getattr(translation._trans, name)
        monkeypatch.setattr(translation._trans, name, partial(_noting, missing, function))
    client.force_login(UserFactory(username="nora", email="", is_staff=True, is_superuser=True))
    for model in site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for address in (reverse(f"{base}_changelist"), reverse(f"{base}_add")):
            client.get(address, headers=VIETNAMESE)
    assert missing - SAME_IN_BOTH == set()


def _noting(missing: set[str], function: Any, *given: Any) -> str:
    text = str(function(*given))
    if translation.get_language() == "vi" and text in given and re.search("[A-Za-z]{2}", text):
        missing.add(text)
    return text


def _unreadable(function: Any, given: Any) -> str:
    text = str(function(*given))
    if given[-1] == "":  # the header of a catalogue
        return text
    return "".join(part if at % 2 else re.sub("[A-Za-z]", "ø", part) for at, part in enumerate(KEPT.split(text)))


def _words_of(page: Any) -> list[str]:
    text = re.sub(r"<(script|style|code|svg)\b.*?</\1>|<!--.*?-->|&\w+;", "", page.content.decode(), flags=re.DOTALL)
    parts = [SAME.sub("", part) for part in [*READ_ALOUD.findall(text), *re.split("<[^>]*>", text)]]
    return [part.strip() for part in parts if re.search("[A-Za-z]{2}", part)]


def test_every_text_is_translated(tmp_path):
    """As `make messages` says: what the code has today, each with its translation, and nothing else."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in FILES:
        shutil.copy2(ROOT / name, tmp_path)
    subprocess.run(["deploy/messages"], cwd=tmp_path, env=environment(PYTHON=sys.executable), check=True)
    texts, expected = polib.pofile(str(TEXTS)), polib.pofile(str(tmp_path / TEXTS.relative_to(ROOT)))

    found, wanted = ({(entry.msgctxt, entry.msgid) for entry in entries} for entries in (texts, expected))
    assert sorted(map(str, wanted - found)) == []
    assert sorted(map(str, found - wanted)) == []
    assert [entry.msgid for entry in [*texts.untranslated_entries(), *texts.fuzzy_entries()]] == []


def test_the_compiled_texts_are_those_of_the_source():
    with TEXTS.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for entry in polib.pofile(str(TEXTS)):
        wanted = entry.msgstr_plural[0] if entry.msgid_plural else entry.msgstr
        if entry.msgid_plural:
            assert compiled.ngettext(entry.msgid, entry.msgid_plural, 2) == wanted
        elif entry.msgctxt:
            assert compiled.pgettext(entry.msgctxt, entry.msgid) == wanted
        else:
            assert compiled.gettext(entry.msgid) == wanted


def test_translations_keep_placeholders_and_markup():
    for entry in polib.pofile(str(TEXTS)):
        wanted = sorted(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        assert sorted(PLACEHOLDER.findall(entry.msgstr_plural[0] if entry.msgid_plural else entry.msgstr)) == wanted


def test_no_template_has_words_outside_gettext():
    found = {}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if bare := _bare_words(path.read_text()):
            found[str(path.relative_to(ROOT))] = bare
    assert found == {}


def _bare_words(template: str) -> list[str]:
    text = WORDLESS.sub("\0", template)
    parts = [*READ_ALOUD.findall(text), *re.split(r'\0|<(?:[^>"]|"[^"]*")*>', text)]
    return [part.strip() for part in parts if re.search(r"[A-Za-z]{2}", part)]


def test_functions_of_gettext_keep_their_names():
    """`makemessages` finds texts by these names and `_` alone."""
    renamed = re.compile(r"import n?p?n?gettext\w* as (?!_$)\w+$", re.MULTILINE)
    files = [path for name in FOLDERS[:4] for path in (ROOT / name).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in files if renamed.search(path.read_text())] == []


def test_texts_for_libraries_are_texts_of_the_libraries():
    """So that a text that a library rewords does not stay behind."""
    lines = (ROOT / "deploy/library_texts.txt").read_text(encoding="utf-8").splitlines()
    texts = {line for line in lines if line and not line.startswith("# ")}
    for package in ("django", "rest_framework", "django_filters", "allauth", "django_celery_beat", "django_countries"):
        folder = Path(find_spec(package).origin).parent
        for catalogue in folder.glob("**/locale/*/LC_MESSAGES/*.mo"):
            texts -= {entry.msgid for entry in polib.mofile(str(catalogue))}
        code = "".join(
            module.read_text(encoding="utf-8") for path in ("*.py", "conf/locale/*.py") for module in folder.glob(path)
        )
        texts -= {text for text in texts if f"'{text}'" in code or f'"{text}"' in code}  # newer than its catalogue
    assert texts == set()
