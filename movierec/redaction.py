"""Removes secrets from log lines and traces: the site's own, and text that looks like a secret."""

import json
import re
from urllib.parse import quote

SHORTEST = 6  # minimum length of a secret to hide; shorter ones occur in ordinary words
HIDDEN = "[hidden]"
_NAMES = r"token|secret[\w-]{0,20}|passw(?:or)?d|passphrase|api[_-]?key"
_LOOKS_SECRET = re.compile(
    r"""(?ix)
    (?<=://)(?P<user>[^\s/:@"']*:)[^\s/"']+(?=@)  # the password in an address
    | (?P<scheme>\b(?:bearer|basic)\s|\btoken\s(?=[0-9a-f]{40}\b))\s*[\w.~+/=-]{8,}  # of the header Authorization
    | (?P<name>(?:NAMES|signature|[?&](?:key|code|sig))=)[^\s&"'\\,;)]+
    | (?P<key>(?:NAMES|authorization|cookie)\\?["']\s*:\s*\\?["'])[^"'\\]+
    | (?P<age>AGE-SECRET-KEY-1)[0-9A-Z]+
    | (?P<own>\bmr[kh]_)[\w-]+  # an API key or a secret address of this site
    """.replace("NAMES", _NAMES)
)
# Every match contains one of these. Most lines contain none, and this check is fifty times as fast.
_SIGNS = ("@", "bearer", "basic", "token", "secret", "pass", "key", "sig", "code=", "auth", "cookie", "mrk_", "mrh_")
_known: list[str] = []


def never_show(secret: str) -> str:
    """Hide this value from now on, also in quoted form. Return it."""
    if len(secret) >= SHORTEST:
        forms = {secret, quote(secret, safe=""), json.dumps(secret, ensure_ascii=False)[1:-1]}
        _known.extend(forms.difference(_known))
        _known.sort(key=len, reverse=True)  # one secret may be a prefix of another
    return secret


def redact(text: str) -> str:
    for secret in _known:
        text = text.replace(secret, HIDDEN)
    lower = text.lower()
    if any(sign in lower for sign in _SIGNS):
        text = _LOOKS_SECRET.sub(lambda found: f"{found[found.lastgroup or 0]}{HIDDEN}", text)
    return text
