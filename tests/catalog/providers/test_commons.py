"""Which pictures may be shown, and their authors as plain text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.providers.commons import LONGEST_AUTHOR, CommonsFile, file_of, read_file, text_of
from tests.commons_documents import answer_about, commons_file

ASKED = {
    "titles": "File:A.jpg",
    "iiurlwidth": "330",
    "iiextmetadatafilter": "Artist|Attribution|AttributionRequired|LicenseShortName|LicenseUrl|NonFree",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=5,
)


def page(*args, **options) -> dict:
    return answer_about({"A.jpg": commons_file("A.jpg", *args, **options)}, {}, ASKED)["query"]["pages"][0]


def read(*args, **options) -> CommonsFile | None:
    return read_file(page(*args, **options))


def test_a_file_has_thumbnail_credit_and_page():
    assert read("Ada") == CommonsFile(
        url="https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/A.jpg/330px-A.jpg",
        width=330,
        height=440,
        page_url="https://commons.wikimedia.org/wiki/File:A.jpg",
        author="Ada",
        licence="CC BY-SA 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0",
    )


def test_a_small_file_is_its_own_thumbnail():
    found = read(size=(200, 100))

    assert found is not None and (found.width, found.height) == (200, 100)
    assert found.url == "https://upload.wikimedia.org/wikipedia/commons/a/ab/A.jpg"


@pytest.mark.parametrize(
    "options",
    [
        {"LicenseShortName": None},
        {"LicenseShortName": " "},
        {"LicenseShortName": "x" * 101},
        {"LicenseUrl": None},
        {"LicenseUrl": "javascript:alert(1)"},
        {"LicenseUrl": "//creativecommons.org/licenses/by/4.0"},
        {"LicenseUrl": "https://[x"},
        {"LicenseUrl": "https://x.example/" + "y" * 2000},
        {"NonFree": "true"},
        {"NonFree": True},
        {"NonFree": 1},
        {"artist": None},
        {"artist": "<img src=x>"},
        {"artist": ["Ada"]},
        {"mime": "image/svg+xml"},
        {"mime": "image/tiff"},
        {"mime": "application/pdf"},
    ],
    ids=str,
)
def test_what_cannot_be_credited_is_not_shown(options):
    assert read(**options) is None


@pytest.mark.parametrize("mime", ["image/jpeg", "image/png", "image/gif", "image/webp"])
def test_browsers_show_these(mime):
    assert read(mime=mime, NonFree="") is not None


def test_a_custom_credit_stands_in_for_the_author():
    found = read(None, Attribution="Photograph by <i>Rama</i>")

    assert found is not None and found.author == "Photograph by Rama"


def test_a_licence_without_attribution_needs_no_author():
    found = read(None, LicenseShortName="CC0", AttributionRequired="false")

    assert found is not None and (found.author, found.licence) == ("", "CC0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("thumburl", "https://evil.example/a.jpg"),
        ("thumburl", "https://upload.wikimedia.org.evil.example/a.jpg"),
        ("thumburl", None),
        ("descriptionurl", "https://evil.example/wiki/File:A.jpg"),
        ("thumbwidth", 0),
        ("thumbwidth", "330"),
        ("thumbheight", True),
        ("extmetadata", []),
    ],
)
def test_addresses_and_sizes_are_those_of_commons(name, value):
    found = page()
    found["imageinfo"][0][name] = value

    assert read_file(found) is None


@pytest.mark.parametrize("infos", [None, [], [None], {}, [{"filemissing": True}]])
def test_a_file_without_information_is_none(infos):
    assert read_file({"title": "File:A.jpg", "imageinfo": infos}) is None


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            '<a href="//commons.wikimedia.org/wiki/User:Rama" title="User:Rama">Rama</a> &amp; Musée Bolo',
            "Rama & Musée Bolo",
        ),
        ("<bdi><a>Unknown author</a></bdi><span style='display: none;'>Unknown author</span>", "Unknown author"),
        ("<p>One</p>\n<p>Two<br>Three</p>", "One Two Three"),
        ("<script>alert(1)</script><style>a {}</style>Ada", "Ada"),
        ("<div style='display:none'><div>a</div>b</div>Ada", "Ada"),
        ("<img style='display:none'>Ada", "Ada"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("Ada\x00 <", "Ada <"),
        ("", ""),
    ],
)
def test_an_author_is_text(html, text):
    assert text_of(html) == text


def test_a_long_author_is_cut():
    assert text_of("x" * 1000) == "x" * (LONGEST_AUTHOR - 1) + "…"


@example("<![foo[x]]>")  # which some versions of html.parser do not take
@given(st.text(alphabet="<>!-[]/&;#ab =\"'\x00") | st.text())
def test_any_html_has_a_short_text(html):
    text = text_of(html)

    assert len(text) <= LONGEST_AUTHOR
    assert text == text.strip() and "\x00" not in text


@given(JSON, JSON, JSON)
def test_any_answer_is_read_or_none(url, details, size):
    info = {"thumburl": url, "thumbwidth": size, "thumbheight": size, "extmetadata": details, "mime": url}

    assert read_file({"imageinfo": [info]}) is None
    assert read_file({"imageinfo": url}) is None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://commons.wikimedia.org/wiki/Special:FilePath/Foo%20bar%20%281%29.jpg", "Foo bar (1).jpg"),
        ("http://commons.wikimedia.org/wiki/Special:FilePath/a%7Cb.jpg", ""),
        ("http://commons.wikimedia.org/wiki/Special:FilePath/", ""),
        ("_:t12", ""),
        ("", ""),
    ],
)
def test_addresses_of_the_query_service_name_files(address, name):
    assert file_of(address) == name
