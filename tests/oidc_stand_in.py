"""A stand-in for an OpenID Connect provider, with HTTP on loopback, signatures, and false claims on request.

    with OIDCStandIn() as provider:
        settings.OIDC = provider.client()
        provider.claims |= {"sub": "1", "email": "ada@example.org", "email_verified": True}
        provider.lies = {"aud": "another client"}

Browsers are sent to tests/slow/test_browser_oidc.py's provider instead; here a test follows the redirects itself.
"""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from catalog.sign_in.settings import IdentityProvider

START, CALLBACK, SIGN_UP = (f"/accounts/identities/{name}/" for name in ("start", "callback", "sign-up"))
CLIENT, SECRET = "movierec", "stand-in-secret"


class OIDCStandIn:
    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid, self.algorithm = "first", "RS256"
        self.claims: dict[str, Any] = {"sub": "sub-1"}
        self.lies: dict[str, Any] = {}  # claims of the ID token that replace the correct ones; None omits one
        self.at_userinfo: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, Any]] = {}  # keyed by the last part of the path
        self.asked: dict[str, Any] = {}  # of the latest authorization request
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": self}))
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def client(self, **changes: str) -> IdentityProvider:
        known = {"issuer": self.issuer, "client_id": CLIENT, "client_secret": SECRET, "name": "Club ID"}
        return IdentityProvider(**known | changes)

    def sign_in(self, address: str) -> str:
        """Acts as the provider's page for a browser sent to this address. Returns the query of its response."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return f"code=the-code&state={self.asked['state']}"

    def id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": self.asked.get("nonce")}
        claims = claims | self.claims | self.lies
        claims = {name: value for name, value in claims.items() if value is not None}
        key = SECRET.ljust(32, ".") if self.algorithm.startswith("HS") else self.key
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": self.kid} if self.kid else {})

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        name = path.rpartition("/")[2]
        if name in self.answers:
            return self.answers[name]
        if name == "openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            addresses = {key: f"{self.issuer}/{part}" for key, part in names.items()}
            return 200, {"issuer": self.issuer, "userinfo_endpoint": f"{self.issuer}/userinfo"} | addresses
        if name == "jwks":
            return 200, {"keys": [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.public_key())) | {"kid": "first"}]}
        if name == "userinfo":
            return 200, {"sub": self.claims["sub"]} | self.at_userinfo
        if name == "token":
            return self.token(form)
        return 404, {}

    def public_key(self) -> rsa.RSAPublicKey:
        return self.key.public_key()

    def token(self, form: dict[str, str]) -> tuple[int, Any]:
        """Returns tokens. With PKCE, the client that began the sign-in must complete it."""
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        known = (form.get("client_id"), form.get("client_secret"), form.get("code")) == (CLIENT, SECRET, "the-code")
        if not known or challenge != self.asked.get("code_challenge"):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "an-access-token", "token_type": "Bearer", "id_token": self.id_token()}


def leave(client: Client, provider: OIDCStandIn, **form: str) -> str:
    """Goes to the provider. Returns the URL to which the provider redirects the browser."""
    page = client.post(START, form)
    assert page.status_code == 200, page
    address = unescape(re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())[1])
    return f"{CALLBACK}?{provider.sign_in(address)}"


def go(client: Client, provider: OIDCStandIn, **form: str) -> Any:
    return client.get(leave(client, provider, **form))


class _Handler(BaseHTTPRequestHandler):
    provider: OIDCStandIn

    def do_GET(self) -> None:
        self.respond({})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.respond({name: values[0] for name, values in parse_qs(sent).items()})

    def respond(self, form: dict[str, str]) -> None:
        self.provider.requests.append(self.path)
        status, body = self.provider.answer(self.path, form)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Logs nothing, because tests read data from the provider itself."""


@pytest.fixture
def provider(settings) -> Iterator[OIDCStandIn]:
    with OIDCStandIn() as stand_in:
        settings.OIDC = stand_in.client()
        yield stand_in
