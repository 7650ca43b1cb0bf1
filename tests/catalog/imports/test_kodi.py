"""Rejects malicious XML, so that the cost of a file is limited by its size."""

import pytest

from catalog.errors import InvalidImport
from catalog.imports.formats import read_upload

MOVIE = "<movie><title>Heat</title><year>1995</year><playcount>1</playcount></movie>"
LAUGHS = """<!DOCTYPE movie [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<movie><title>&b;</title><playcount>1</playcount></movie>"""
OUTSIDE = '<!doctype movie [<!ENTITY a SYSTEM "file:///etc/passwd">]><movie><title>&a;</title></movie>'


def read(content: str | bytes, name: str = "movie.nfo"):
    return read_upload(format="kodi", name=name, content=content.encode() if isinstance(content, str) else content)


def test_an_address_after_the_xml_is_passed_over():
    assert [row.title for row in read(f"{MOVIE}\nhttps://www.imdb.com/title/tt0113277/\n").rows] == ["Heat"]


@pytest.mark.parametrize("content", [LAUGHS, OUTSIDE])
def test_a_document_type_is_refused(content):
    with pytest.raises(InvalidImport):
        read(content)


@pytest.mark.parametrize(
    "content", ["https://www.imdb.com/title/tt0113277/", "<movie>", "<movie><title>Heat</movie>", "<"]
)
def test_what_is_no_xml_is_refused(content):
    with pytest.raises(InvalidImport):
        read(content)


def test_utf_16_is_read():
    text = f'<?xml version="1.0" encoding="UTF-16"?>{MOVIE.replace("Heat", "Amélie")}'

    assert [row.title for row in read(text.encode("utf-16")).rows] == ["Amélie"]


def test_a_deep_file_is_read_or_refused():
    with pytest.raises(InvalidImport):
        read("<movie>" + "<a>" * 100_000 + "</a>" * 100_000 + "</movie>")
