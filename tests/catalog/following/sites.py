"""Stand-ins for the sites that users follow: real HTTPS on loopback, with a certificate for their names.

with Sites() as sites:
    sites.serve("https://letterboxd.com/nora/rss/", feed(entry(1, "Heat", 1995)))
"""

import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from catalog.following.fetching import Fetcher
from catalog.following.public_network import is_public

PUBLIC = "93.184.215.14"  # stands for the loopback address of the stand-ins, and is public itself
HOSTS = ("letterboxd.com", "api.trakt.tv", "files.example.org", "mirror.example.org")
ITEM = """<item>
  <title>{title}, {year}</title>
  <link>https://letterboxd.com/nora/film/{number}/</link>
  <guid isPermaLink="false">letterboxd-{kind}-{number}</guid>
  <pubDate>{written}</pubDate>
  <letterboxd:watchedDate>{day}</letterboxd:watchedDate>
  <letterboxd:rewatch>{rewatch}</letterboxd:rewatch>
  <letterboxd:filmTitle>{title}</letterboxd:filmTitle>
  <letterboxd:filmYear>{year}</letterboxd:filmYear>{rating}
  <description><![CDATA[ <p><img src="https://images.example.org/1.jpg"/></p> <p>{text}</p> ]]></description>
</item>"""
LIST = """<item><title>Essentials</title><guid isPermaLink="false">letterboxd-list-9</guid>
  <description><![CDATA[<ul><li>Heat</li></ul>]]></description></item>"""
FEED = """<?xml version='1.0' encoding='utf-8'?>
<rss version="2.0" xmlns:letterboxd="https://letterboxd.com" xmlns:tmdb="https://themoviedb.org"><channel>
<title>Letterboxd - Nora</title>{items}</channel></rss>"""


def entry(number: int, title: str, year: int, stars: float | None = None, **values: str) -> str:
    """An item of a feed; `written` is the time of the entry."""
    given = {"kind": "watch", "day": "2026-04-18", "rewatch": "No", "text": "Watched on Saturday.", **values}
    given.setdefault("written", "Sun, 19 Apr 2026 04:10:09 +1200")
    rating = f"\n  <letterboxd:memberRating>{stars}</letterboxd:memberRating>" if stars else ""
    return ITEM.format(number=number, title=title, year=year, rating=rating, **given)


def feed(*items: str) -> bytes:
    """A feed whose items are given newest first, as Letterboxd sends them."""
    return FEED.format(items="".join(items)).encode()


@dataclass
class Page:
    """An answer. `drip` sends a byte each tenth of a second; `before` is called before the answer."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: bool = False
    before: Any = None


class Sites:
    """All sites on one port. `addresses` holds what a host name resolves to, if that is not the stand-in."""

    def __init__(self, folder: Path) -> None:
        self.pages: dict[str, list[Page]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.addresses: dict[str, list[str]] = {}
        self._certificate = _certificate(folder)

    def __enter__(self) -> Self:
        self.server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"sites": self}))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def serve(self, address: str, *pages: bytes | Page) -> None:
        """Sets the answers of an address; the last one is repeated."""
        self.pages[address] = [page if isinstance(page, Page) else Page(page) for page in pages]

    def fetcher(self) -> Fetcher:
        """A fetcher that resolves names to the stand-in, which it takes for a public address."""
        port = self.server.server_port

        def resolve(host: str, _port: int) -> list[tuple[str, int]]:
            return [(address, port) for address in self.addresses.get(host, ["127.0.0.1"])]

        trusted = ssl.create_default_context(cafile=str(self._certificate))
        return Fetcher(resolve, lambda address: is_public(PUBLIC if address == "127.0.0.1" else address), trusted)

    def n_asked(self, address: str) -> int:
        return sum(asked == address for asked, _ in self.asked)


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    names = [x509.DNSName(host) for host in HOSTS] + [x509.IPAddress(ip_address("127.0.0.1"))]
    now = timezone.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file = folder / "stand-in.pem"
    file.write_bytes(made.public_bytes(pem) + private)
    return file


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that refused the certificate, or was killed


class _Handler(BaseHTTPRequestHandler):
    sites: Sites
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = f"https://{self.headers['Host']}{self.path}"
        self.sites.asked.append((address, {name.lower(): value for name, value in self.headers.items()}))
        pages = self.sites.pages.get(address) or [Page(status=404)]
        page = pages.pop(0) if len(pages) > 1 else pages[0]
        if page.before:
            page.before()
        if page.headers.get("ETag") and self.headers.get("If-None-Match") == page.headers["ETag"]:
            page = Page(status=304)
        self.send_response(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        for block in [page.body[n : n + 1] for n in range(len(page.body))] if page.drip else [page.body]:
            self.wfile.write(block)
            self.wfile.flush()
            time.sleep(0.1 if page.drip else 0)

    def log_message(self, format: str, *args: Any) -> None:
        pass
