"""Names in the documents exist: files, links, URLs, variables, policy keys, metrics and names in the code."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from django.urls import Resolver404, resolve
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from catalog.filters import ORDERINGS
from catalog.imports.formats import FORMATS
from mlops.dashboard.metrics import RowsCollector
from mlops.training.forecast import STEPS
from movierec.api import error_codes, not_found
from movierec.policy import Policy, keys, load_policy
from tests.documents import anchors, blocks, code, links, pages, shell_lines, spans
from tests.movierec.test_settings import check, keys_in_the_example
from tests.processes import ROOT
from tests.source_tree import tracked

pytestmark = pytest.mark.once

PATH = re.compile(r"(?<![\w/.$~:-])([\w.-]+(?:/[\w.-]+)+/?|[\w.-]+\.(?:py|md))(?::(\w+))?")
OPERATIONS = "docs/operations.md"  # lists all metrics
PREFIXES = {"/api/", "/api/v1/"}
OTHER_FOLDER = re.compile(r"/(mnt|srv|usr|run|var|path|dev|etc)\b")
ASSIGNED = re.compile(r"(?<![\w$.-])([A-Z][A-Z_]+)=")
POLICY_KEYS = {name for name, _ in keys()}
# variables defined in the examples, and those of other programs
OTHER_VARIABLES = {"API", "JSON", "LINES", "ME", "MOVIES", "TOKEN", "LIGHTFM_NO_CFLAGS", "OPENBLAS_NUM_THREADS"}
OTHER_VARIABLES |= {"COMPOSE_PROFILES"}
# names in the decisions: rejected alternatives and titles
NOT_OURS = {"unaccent", "pg_trgm", "word_similarity", "strict_word_similarity", "Brat", "qiantoqianxun"}
NOT_OURS |= {"SuccessiveHalvingPruner", "PercentilePruner"}


def missing(found: dict[str, bool]) -> list[str]:
    """Returns the names that do not exist. Fails if no names were found."""
    assert found
    return [name for name, exists in found.items() if not exists]


@cache
def files() -> dict[str, Path]:
    return {str(file.relative_to(ROOT)): file for file in tracked()}


@cache
def source() -> str:
    """Returns all code except the documents and their tests."""
    texts = [path for path in files() if not re.search(r"\.(md|jpg|png)$|document", path)]
    return "\n".join(files()[path].read_text(encoding="utf-8", errors="ignore") for path in texts)


def test_links_and_their_anchors_exist():
    found = {}
    for page, target in links():
        if not re.match(r"https?:", target):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            found[f"{page.name}: {target}"] = file.exists() and (not anchor or anchor in anchors(file))

    assert missing(found) == []


def test_files_exist_and_define_what_is_named_in_them():
    roots = {path.partition("/")[0] for path in files() if "/" in path}
    named = {
        (path.removesuffix("/"), name)
        for piece in shell_lines()
        for path, name in PATH.findall(piece.text)
        if path.partition("/")[0] in roots or path.endswith((".py", ".md"))
    }

    assert missing({f"{path}:{name}": exists(path, name) for path, name in named}) == []


def exists(path: str, name: str) -> bool:
    """Returns whether the file or folder exists. A path may omit its first folders."""
    found = [file for known, file in files().items() if f"/{known}".endswith(f"/{path}")]
    if name:
        return any(re.search(rf"^\s*(def|class) {name}\b", file.read_text("utf-8"), re.MULTILINE) for file in found)
    return bool(found) or (ROOT / path).is_dir()


def test_addresses_exist_and_allow_their_methods():
    """Checks spans such as `/import/` and `POST token/`, and calls of curl."""
    found = {}
    for method, path in addresses():
        found[f"{method} {path}"] = path in PREFIXES or is_allowed(method, filled(path))

    assert missing(found) == []


def addresses() -> Iterator[tuple[str, str]]:
    for piece in spans():
        if named := re.fullmatch(r"(?:(GET|POST|PUT|DELETE) )?(/?[a-z]+(?:/\S*)?)", piece.text):
            method, path = named.groups()
            if path.startswith("/") and not OTHER_FOLDER.match(path):
                yield method or "GET", path
            elif method:
                yield method, f"/api/v1/{path}"
    for piece in shell_lines():
        sends = "POST" if re.search(r"curl.* (-d|--data)", piece.text) else "GET"
        method = re.search(r"-X (\w+)", piece.text)
        for start, path in re.findall(r"curl.*?(\$API|http://127\.0\.0\.1:8000)(/[^\s\"`]*)", piece.text):
            yield method[1] if method else sends, path if start.startswith("http") else f"/api/v1{path}"


def filled(path: str) -> str:
    """Fills parameters with examples: `<id>`, `{movie_id}`, `$id`, `{letterboxd|imdb}`."""
    path = re.sub(r"<id>|\{\w+_id\}|\$\w+", "1", path.partition("?")[0])
    return re.sub(r"<(\w+)>|\{(\w+)[^}]*\}", r"\1\2", path)


def is_allowed(method: str, path: str) -> bool:
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    kind = getattr(view, "cls", None)  # of REST framework
    allowed = getattr(view, "actions", None) or (dir(kind) if kind else [method.lower()])
    return view is not not_found and method.lower() in allowed


def test_variables_are_read_by_something():
    written = {name for piece in shell_lines() for name in ASSIGNED.findall(piece.text)}
    named = {piece.text for piece in spans() if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", piece.text)}
    shell = "".join(
        file.read_text("utf-8")
        for path, file in files().items()
        if re.match(r"deploy/|Makefile|\.github/workflows/", path)
    )
    elsewhere = re.findall(r"[A-Z][A-Z_]+", shell) + re.findall(r'"([A-Z][A-Z_]+)"', source())
    read = {*keys_in_the_example(), *elsewhere, *OTHER_VARIABLES}

    assert missing({name: name in read for name in written | named}) == []


def test_readme_says_what_the_example_of_env_says():
    named = set(re.findall(r"^\| .*?\|", pages()["README.md"], re.MULTILINE))
    found = {name for row in named for name in re.findall(r"`([A-Z_]+)`", row)}

    assert found and found <= set(keys_in_the_example())


def test_the_site_starts_with_every_value_of_the_example(tmp_path):
    values = dict(re.findall(r"^#([A-Z_]+)=(.+)", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    started = check(tmp_path=tmp_path, SECRET_KEY="signs", METRICS_TOKEN="reads", **values)

    assert started.returncode == 0, started.stderr


def test_containers_get_the_variables_of_the_example():
    """Excludes variables that .env.example says containers do not use."""
    example, compose = (files()[name].read_text(encoding="utf-8") for name in (".env.example", "docker-compose.yml"))
    said = re.findall(r"[A-Z]+(?:_[A-Z]+)+|DEBUG", re.search(r"^# It sets .*(?:\n#.*)*", example, re.MULTILINE)[0])
    folders = {"VAR_DIR", "MODEL_DIR", "SNAPSHOT_DIR", "STATIC_ROOT"}

    assert set(keys_in_the_example()) - set(re.findall(r"\$\{([A-Z_]+)", compose)) == {*said, *folders}


def test_policy_keys_exist():
    sections = "|".join(Policy.model_fields)
    dotted = {piece.text for piece in spans() if re.fullmatch(rf"-?({sections})\.[\w-]+", piece.text)}
    found = {name: name.strip("-") in POLICY_KEYS or f'"{name}"' in source() for name in dotted}
    for page in pages().values():
        for name in re.findall(r"[Ss]ection `(\w+)`|`(\w+)` (?:in|of) `config\.yaml`", page):
            found["".join(name)] = "".join(name) in Policy.model_fields

    assert missing(found) == []


def test_examples_of_the_policy_are_valid(tmp_path):
    examples = [piece.text for piece in blocks("yaml")]
    examples += [piece.text for piece in spans() if re.match(rf"({'|'.join(Policy.model_fields)}): ", piece.text)]
    for text in examples:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        assert load_policy(tmp_path / "config.yaml") != Policy(), text

    assert len(examples) >= 2


@pytest.mark.django_db
def test_operations_lists_all_metrics_with_their_labels():
    """Excludes metrics of django-prometheus and of the client library."""
    counted = [metric for metric in REGISTRY._collector_to_names if isinstance(metric, MetricWrapperBase)]
    labels = {metric._name: metric._labelnames for metric in counted}
    labels |= {family.name: family._labelnames for family in RowsCollector().collect()}
    named = [
        (piece.page, name.removesuffix("_total"), set(filter(None, given.split(","))))
        for piece in spans()
        for name, given in re.findall(r"^((?:model_pred|movierec_)[a-z_]+)(?:\{([a-z,]+)\})?$", piece.text)
    ]

    assert {name for _, name, _ in named} == {name for name in labels if name.startswith(("model_", "movierec_"))}
    assert missing({name: page != OPERATIONS or given == set(labels[name]) for page, name, given in named}) == []


def test_names_of_code_exist():
    """Checks that each part of a dotted name occurs in the code as a word."""
    known = set(re.findall(r"\w+(?:-\w+)*", source())) | {Path(path).stem for path in files()}
    named = {piece.text for piece in spans() if re.fullmatch(r"[A-Za-z][\w.-]*[a-zA-Z](\(.*\))?", piece.text)}
    parts = {
        name: re.findall(r"[\w-]+", name.partition("(")[0])
        for name in named - NOT_OURS - POLICY_KEYS - error_codes().keys()
    }

    assert missing({name: all(part in known for part in parts[name]) for name in parts}) == []


def test_system_checks_exist():
    named = {name for text in pages().values() for name in re.findall(r"\b[EW]0\d\d\b", text)}

    assert missing({name: f'"movierec.{name}"' in source() for name in named}) == []


def test_lists_in_the_documents_are_complete():
    services = yaml.safe_load(files()["docker-compose.yml"].read_text(encoding="utf-8"))["services"]
    children = re.search(r"^programs=(.*)", files()["deploy/supervisord.conf"].read_text("utf-8"), re.MULTILINE)[1]
    steps = re.findall(r"^\| ([a-z]+) \| ", pages()["docs/mlops.md"].partition("It is started by")[0], re.MULTILINE)

    assert steps[1:] == list(STEPS)  # after the table's header
    assert named_after(OPERATIONS, "Services: ") == set(services)
    assert named_after(OPERATIONS, "supervisord runs four children") >= set(children.split(","))
    assert named_after("docs/search.md", "`ordering` is") >= set(ORDERINGS)
    assert f"`{', '.join(FORMATS['csv'].header)}`" in pages()["docs/imports.md"]
    assert f"--format {'|'.join(FORMATS)} PATH" in pages()["docs/imports.md"]


def named_after(page: str, words: str) -> set[str]:
    """Returns the code spans of the sentence with this beginning, up to a full stop or a paragraph."""
    sentence = re.search(re.escape(words) + r".*?(?:\.\s|\n\n)", pages()[page], re.DOTALL)[0]
    return set(re.findall(r"`([^`]+)`", sentence))


def test_the_output_shown_of_explain_list_is_made_of_its_texts():
    [output] = [piece.text for piece in code() if piece.text.startswith("Profile\n")]
    steps = output.partition("Sources")[2].partition("List of")[0]
    lines = re.findall(r"^ +-?\d+  (.*)$", steps, re.MULTILINE)

    assert missing({line: f'"{line}"' in source() for line in lines}) == []
