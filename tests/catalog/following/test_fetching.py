"""Addresses that users enter are fetched from public hosts alone, in bounds."""

import gzip

import pytest

from catalog.following.fetching import FetchFailed
from catalog.following.public_network import is_public
from catalog.models.followed import SyncOutcome
from tests.catalog.following.sites import Page

FILE = "https://files.example.org/list.csv"


def outcome_of(sites, address: str = FILE) -> SyncOutcome:
    with pytest.raises(FetchFailed) as failed:
        sites.fetcher().get(address)
    return failed.value.outcome


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:1::", "2001:db8::1"),
    ],
)
def test_no_other_addresses_than_public_ones(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"])
def test_public_addresses(address):
    assert is_public(address)


def test_an_answer_comes_with_its_headers(sites):
    sites.serve(FILE, Page(b"title\nHeat\n", headers={"ETag": '"1"'}))
    reply = sites.fetcher().get(FILE)

    assert (reply.status, reply.body, reply.headers["etag"]) == (200, b"title\nHeat\n", '"1"')
    assert sites.fetcher().get(FILE, {"If-None-Match": '"1"'}).status == 304


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::ffff:169.254.169.254"], []])
def test_a_name_that_leads_inside_is_not_connected(sites, addresses):
    sites.addresses["files.example.org"] = addresses

    assert outcome_of(sites) == SyncOutcome.PRIVATE
    assert sites.asked == []


def test_loopback_is_not_public_to_the_site_itself(sites):
    fetcher = type(sites.fetcher())()  # as in production
    with pytest.raises(FetchFailed) as failed:
        fetcher.get(f"https://127.0.0.1:{sites.server.server_port}/")

    assert failed.value.outcome == SyncOutcome.PRIVATE
    assert sites.asked == []


def test_redirects_are_followed_without_the_headers(sites):
    mirror = "https://mirror.example.org/a%20file.csv?x=1"
    sites.serve(FILE, Page(status=302, headers={"Location": mirror}))
    sites.serve(mirror, b"found")

    assert sites.fetcher().get(FILE, {"trakt-api-key": "key"}).body == b"found"
    assert ["trakt-api-key" in headers for _, headers in sites.asked] == [True, False]


def test_a_redirect_to_a_private_host_is_refused(sites):
    sites.addresses["inside.example.org"] = ["192.168.1.1"]
    sites.serve(FILE, Page(status=301, headers={"Location": "https://inside.example.org/"}))

    assert outcome_of(sites) == SyncOutcome.PRIVATE
    assert len(sites.asked) == 1


@pytest.mark.parametrize("location", ["http://files.example.org/", "file:///etc/hostname", FILE])
def test_redirects_stay_on_https_and_end(sites, location):
    sites.serve(FILE, Page(status=302, headers={"Location": location}))

    assert outcome_of(sites) == SyncOutcome.REDIRECTED
    assert len(sites.asked) <= 4


def test_the_certificate_must_be_for_the_name(sites):
    assert outcome_of(sites, "https://other.example.org/") == SyncOutcome.UNREACHABLE
    assert sites.asked == []


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_huge_answer_is_cut(sites, change_policy, pack):
    change_policy("imports", max_upload_mb=1)
    encoding = {} if pack is bytes else {"Content-Encoding": "gzip"}
    sites.serve(FILE, Page(pack(b"0" * (2 << 20)), headers=encoding))

    assert outcome_of(sites) == SyncOutcome.TOO_LARGE


def test_an_answer_may_be_packed(sites):
    sites.serve(FILE, Page(gzip.compress(b"title"), headers={"Content-Encoding": "gzip"}))

    assert sites.fetcher().get(FILE).body == b"title"


@pytest.mark.parametrize(("encoding", "body"), [("br", b"x"), ("gzip", b"not packed")])
def test_other_encodings_are_refused(sites, encoding, body):
    sites.serve(FILE, Page(body, headers={"Content-Encoding": encoding}))

    assert outcome_of(sites) == SyncOutcome.UNKNOWN_FORMAT


def test_the_time_is_limited_for_the_whole_answer(sites, change_policy):
    change_policy("following", max_seconds=0.5)
    sites.serve(FILE, Page(b"x" * 1000, drip=True))

    assert outcome_of(sites) == SyncOutcome.TOO_SLOW


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (Page(status=404), SyncOutcome.NOT_FOUND),
        (Page(status=403), SyncOutcome.REFUSED),
        (Page(status=500), SyncOutcome.STATUS),
        (Page(status=429), SyncOutcome.STATUS),
        (Page(status=429, headers={"Retry-After": "120"}), SyncOutcome.POSTPONED),
        (Page(status=503, headers={"Retry-After": "Wed, 01 Jan 2031 00:00:00 GMT"}), SyncOutcome.POSTPONED),
    ],
)
def test_errors_of_the_other_site(sites, page, outcome):
    sites.serve(FILE, page)

    assert outcome_of(sites) == outcome
