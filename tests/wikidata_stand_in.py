"""A stand-in for Wikidata, Wikipedia and Commons: their APIs and the query service over real HTTP on loopback.

    with WikidataStandIn([film(83495, "The Matrix", imdb_id="tt0133093")]) as wikidata:
        wikidata.answer_next("/w/api.php", lagged(), Answer(429, retry_after="1"))

`broken_rules` records violations of their rules. It computes the ranks of statements independently of the site.
"""

import re
import threading
import time
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from tests.commons_documents import AT_ONCE as FILES_AT_ONCE
from tests.commons_documents import LONGEST_ADDRESS, STANDARD_WIDTHS, answer_about
from tests.http_stand_in import Answer, HTTPStandIn

API, QUERY, COMMONS = "/w/api.php", "/sparql", "/commons/api.php"
ARTICLES = re.compile(r"/(\w+)-wikipedia/api\.php")
EXTRACTS_AT_ONCE = 20
AT_ONCE = 50
QUERY_SECONDS_A_MINUTE = 60.0
ADDRESS = "http://www.wikidata.org/entity/"
USAGE = "See https://www.wikidata.org/w/api.php for API usage."
_BY_VALUE = re.compile(r"VALUES \?(\w+) \{ ([^}]*) \} \?item wdt:(P\d+) \?\1 ")
_OF_ITEMS = re.compile(r"VALUES \?item \{ ([^}]*) \} \?item wdt:(P\d+) \?(\w+) ")


def reported(code: str, info: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "info": info, "*": USAGE, **more}, "servedby": "mw-api-ext"}


def lagged(seconds: float = 6.5, retry_after: str = "5") -> Answer:
    body = reported("maxlag", f"Waiting for 10.64.0.1: {seconds} seconds lagged.", host="10.64.0.1", lag=seconds)
    return Answer(body=body, retry_after=retry_after)


class WikidataStandIn(HTTPStandIn):
    """`pause` is the required pause after a response, `query_seconds` the time budget used by a query."""

    def __init__(
        self, items: Iterable[dict[str, Any]] = (), *, pause: float = 0, latency: float = 0, query_seconds: float = 0.2
    ) -> None:
        self.items: dict[int, dict[str, Any]] = {}
        self.redirects: dict[int, int] = {}
        self.leads: dict[str, dict[str, str]] = {}  # keyed by language and title
        self.moved: dict[str, str] = {}  # titles of articles
        self.files: dict[str, dict[str, Any]] = {}  # of Commons, keyed by name
        self.moved_files: dict[str, str] = {}
        self.leads_at_once = EXTRACTS_AT_ONCE  # maximum number per response
        self.pause, self.latency, self.query_seconds = pause, latency, query_seconds
        self.broken_rules: list[str] = []
        self.agents: set[str] = set()
        self._under_way = threading.Semaphore(1)
        self._queries: list[float] = []
        self._by_value: dict[str, dict[str, list[int]]] = {}
        self.serve(*items)
        self.listen()
        self.api_url, self.query_url = f"{self.origin}{API}", f"{self.origin}{QUERY}"
        self.commons_url = f"{self.origin}{COMMONS}"
        self.articles_url = f"{self.origin}/LANGUAGE-wikipedia/api.php"

    def serve(self, *items: dict[str, Any]) -> None:
        """Serves only these items."""
        self.items = {int(content["id"][1:]): content for content in items}
        self._by_value.clear()

    def serve_files(self, *files: dict[str, Any]) -> None:
        self.files = {content["name"]: content for content in files}

    def respond(self, target: str, headers: Message) -> Answer:
        path = urlsplit(target).path
        asked = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
        scripted = self.note(target, path)
        self._check(path, asked, headers)
        if len(target) > LONGEST_ADDRESS:
            return Answer.html(414)
        if scripted and (scripted.status != 200 or scripted.body is not None):
            return scripted
        answer = self._truth(path, asked)
        if scripted:
            answer.delay, answer.cut = scripted.delay, scripted.cut
        return answer

    def _check(self, path: str, asked: dict[str, str], headers: Message) -> None:
        agent = headers.get("User-Agent", "")
        self.agents.add(agent)
        if not agent.startswith("Movierec/") or "(" not in agent:
            self.broken_rules.append(f"unnamed: {agent}")
        if path != QUERY and asked.get("maxlag") != "5":
            self.broken_rules.append("no maxlag")
        if self.ended and self.arrivals[-1] - self.ended[-1] < self.pause:
            self.broken_rules.append(f"{self.arrivals[-1] - self.ended[-1]:.3f} s after the last answer")
        if len(self.arrivals) - len(self.ended) > 1 + self.n_lost:
            self.broken_rules.append("two at once")

    n_lost = 0  # requests of killed clients, whose responses are still written

    def _truth(self, path: str, asked: dict[str, str]) -> Answer:
        if path == QUERY:
            return self._answer_query(asked.get("query", ""))
        if found := ARTICLES.fullmatch(path):
            return self._answer_leads(found[1], asked)
        if path == COMMONS:
            return self._answer_files(asked)
        if path != API or asked.get("format") != "json":
            return Answer.html(404)
        if asked.get("action") == "query":
            return Answer(body={"batchcomplete": "", "query": {"general": {"sitename": "Wikidata"}}})
        return self._answer_entities(asked)

    def _answer_entities(self, asked: dict[str, str]) -> Answer:
        ids = asked["ids"].split("|")
        if len(ids) > AT_ONCE:
            return Answer(body=reported("toomanyvalues", f"Too many values supplied: the limit is {AT_ONCE}."))
        if wrong := [key for key in ids if not re.fullmatch(r"Q[1-9]\d*", key)]:
            info = f"Could not find such an entity. (Invalid id: {wrong[0]})"
            return Answer(body=reported("no-such-entity", info, id=wrong[0]))
        entities = {key: self._entity(int(key[1:]), asked) for key in ids}
        return Answer(body={"entities": entities, "success": 1})

    def _answer_leads(self, language: str, asked: dict[str, str]) -> Answer:
        """Returns extracts of articles, keyed by title, like TextExtracts."""
        titles = asked["titles"].split("|")
        if len(titles) > EXTRACTS_AT_ONCE or not {"exintro", "explaintext", "redirects"} <= asked.keys():
            return Answer(body=reported("toomanyvalues", "Not what this stand-in answers."))
        normalized = [(title, title[:1].upper() + title[1:].replace("_", " ")) for title in titles]
        redirects = [(title, self.moved[title]) for _, title in normalized if title in self.moved]
        leads = self.leads.get(language, {})
        pages = [
            {"ns": 0, "title": title}
            | ({"pageid": 1, "extract": leads[title]} if title in leads else {"missing": True})
            for title in dict.fromkeys(self.moved.get(title, title) for _, title in normalized)
        ]
        for page in pages[self.leads_at_once :]:
            page.pop("extract", None)
        query: dict[str, Any] = {"pages": pages}
        for name, pairs in (
            ("normalized", [pair for pair in normalized if pair[0] != pair[1]]),
            ("redirects", redirects),
        ):
            if pairs:
                query[name] = [{"from": old, "to": new} for old, new in pairs]
        return Answer(body={"batchcomplete": True, "query": query})

    def _answer_files(self, asked: dict[str, str]) -> Answer:
        if not {"url", "size", "mime", "extmetadata"} <= set(asked["iiprop"].split("|")) or "redirects" not in asked:
            return Answer(body=reported("badvalue", "Not what this stand-in answers."))
        if len(asked["titles"].split("|")) > FILES_AT_ONCE:
            return Answer(body=reported("toomanyvalues", f"Too many values supplied: the limit is {FILES_AT_ONCE}."))
        if int(asked["iiurlwidth"]) not in STANDARD_WIDTHS:
            self.broken_rules.append(f"a thumbnail of {asked['iiurlwidth']} px")
        return Answer(body=answer_about(self.files, self.moved_files, asked))

    def _entity(self, number: int, asked: dict[str, str]) -> dict[str, Any]:
        target = self.redirects.get(number, number)
        if target not in self.items:
            return {"id": f"Q{number}", "missing": ""}
        props, languages = asked["props"].split("|"), asked["languages"].split("|")
        content = dict(self.items[target])
        labels = {code: label for code, label in content["labels"].items() if code in languages}
        content["labels"] = labels or []  # like PHP, which writes an empty map as a list
        content["claims"] = content["claims"] or []
        wikis = asked.get("sitefilter", "").split("|")
        content["sitelinks"] = {wiki: link for wiki, link in content["sitelinks"].items() if wiki in wikis} or []
        for name in {"labels", "claims", "sitelinks"} - set(props):
            del content[name]
        if target != number:
            content["redirects"] = {"from": f"Q{number}", "to": f"Q{target}"}
        return content

    def _answer_query(self, query: str) -> Answer:
        now = time.monotonic()
        self._queries = [moment for moment in self._queries if moment > now - 60]
        if len(self._queries) * self.query_seconds >= QUERY_SECONDS_A_MINUTE:
            self.broken_rules.append("more than 60 seconds of queries in a minute")
            return Answer(429, b"Rate limit exceeded", retry_after="60")
        self._queries.append(now)
        rows = [*self._rows_by_value(query), *self._rows_of_items(query)]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return Answer(body={"head": {"vars": names}, "results": {"bindings": rows}})

    def _rows_by_value(self, query: str) -> Iterator[dict[str, Any]]:
        for variable, listed, name in _BY_VALUE.findall(query):
            known = self._values_of(name)
            for value in re.findall(r'"([^"]*)"', listed):
                for number in known.get(value, ()):
                    yield {"item": _uri(number), variable: _literal(value)}

    def _rows_of_items(self, query: str) -> Iterator[dict[str, Any]]:
        for listed, name, variable in _OF_ITEMS.findall(query):
            for number in map(int, re.findall(r"wd:Q(\d+)", listed)):
                for value in _truthy(self.items.get(number), name):
                    yield {"item": _uri(number), variable: _file(value) if name == "P18" else _literal(value)}

    def _values_of(self, name: str) -> dict[str, list[int]]:
        if name not in self._by_value:
            index: dict[str, list[int]] = {}
            for number, content in self.items.items():
                for value in _truthy(content, name):
                    index.setdefault(value, []).append(number)
            self._by_value[name] = index
        return self._by_value[name]


def _uri(number: int) -> dict[str, str]:
    return {"type": "uri", "value": f"{ADDRESS}Q{number}"}


def _literal(value: str) -> dict[str, str]:
    return {"type": "literal", "value": value}


def _file(name: str) -> dict[str, str]:
    """Returns file names, which are URLs in the query service."""
    return {"type": "uri", "value": f"http://commons.wikimedia.org/wiki/Special:FilePath/{quote(name)}"}


def _truthy(content: dict[str, Any] | None, name: str) -> list[str]:
    """Returns values as strings, without deprecated statements and those below the best rank."""
    by_rank: dict[str, list[dict[str, Any]]] = {}
    for row in (content or {"claims": {}})["claims"].get(name, ()):
        by_rank.setdefault(row["rank"], []).append(row["mainsnak"])
    best = by_rank.get("preferred", by_rank.get("normal", []))
    return [snak["datavalue"]["value"] for snak in best if snak["snaktype"] == "value"]
