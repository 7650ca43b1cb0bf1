"""Commands and options in the documents exist and work."""

import ast
import importlib.util
import json
import re
import shlex
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, CommandParser, call_command, get_commands, load_command_class
from rest_framework.test import APIClient

from tests.documents import Code, blocks, pages, shell_lines
from tests.factories import UserFactory
from tests.processes import ROOT
from tests.source_tree import APPS, tracked

pytestmark = pytest.mark.once

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OTHER_OPTIONS = {"--help", "--scheduler"}  # the latter is Celery's
STAND_IN = re.compile(r"[A-Z|<]|\.\.\.")  # placeholders for the reader to fill in


@cache
def parser_of(command: str) -> CommandParser:
    app = get_commands()[command]
    loaded = load_command_class(app, command) if isinstance(app, str) else app
    return loaded.create_parser("manage.py", command)


def options_of(command: str) -> set[str]:
    return {option for action in parser_of(command)._actions for option in action.option_strings}


@cache
def calls() -> list[tuple[Code, str, str]]:
    """Returns place, command and arguments of `manage.py NAME ...` and of spans that begin with a command."""
    found = []
    for piece in shell_lines():
        for command, arguments in re.findall(r"manage\.py (\w+)(.*)", piece.text):
            found.append((piece, command, arguments))
        first, _, arguments = piece.text.partition(" ")
        if piece.language is None and (first in get_commands() or re.fullmatch(r"\w+_\w+ --.*", piece.text)):
            found.append((piece, first, arguments))
    return found


def test_commands_exist_and_know_their_options():
    wrong = [f"{piece.page}: {command}" for piece, command, _ in calls() if command not in get_commands()]
    wrong += [
        f"{piece.page}: {command} {option}"
        for piece, command, arguments in calls()
        if command in get_commands()
        for option in OPTION.findall(arguments)
        if option not in options_of(command)
    ]

    assert len(calls()) > 40
    assert wrong == []


def test_every_command_is_named():
    ours = {name for name, app in get_commands().items() if app in APPS}

    assert ours - {command for _, command, _ in calls()} == {"mlflow_ui"}  # `make mlflow`


def test_arguments_without_stand_ins_are_accepted():
    examples = [(command, shlex.split(rest, comments=True)) for _, command, rest in calls()]
    complete = [(command, given) for command, given in examples if given and not STAND_IN.search(" ".join(given))]

    assert len(complete) > 10
    for command, given in complete:
        parser_of(command).parse_args(given)


def test_a_wrong_argument_would_be_found():
    with pytest.raises(CommandError):
        parser_of("backtest_model").parse_args(["freshness"])


def test_options_alone_belong_to_a_command_of_their_page():
    """Checks sentences such as "`check_aggregates` compares; `--repair` fixes"."""
    alone = [piece for piece in shell_lines() if piece.text.startswith("--") or "#" in piece.text]
    wrong = [
        f"{piece.page}: {option}"
        for piece in alone
        for option in OPTION.findall(piece.text)
        if option not in options_of_page(piece.page) | literals("benchmarks") | OTHER_OPTIONS
    ]

    assert alone
    assert wrong == []


@cache
def options_of_page(page: str) -> set[str]:
    return {option for command in get_commands() if command in pages()[page] for option in options_of(command)}


@cache
def literals(folder: str) -> set[str]:
    """Returns the options declared by the modules in a folder."""
    text = "".join(file.read_text(encoding="utf-8") for file in tracked(f"{folder}*.py"))
    return set(re.findall(r'"(--[a-z-]+)"', text))


def test_make_targets_and_their_variables_exist():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    found = [
        (target, rest.split("#")[0])
        for piece in shell_lines()
        for target, rest in re.findall(r"^(?:[A-Z]+=\S+ )?make ([a-z][a-z-]*)(.*)", piece.text)
    ]

    assert found
    assert {target for target, _ in found} <= targets
    assert {name for _, rest in found for name in re.findall(r"([A-Z]+)=", rest)} <= {"DATA", "ARGS", "PORT"}


def test_modules_exist_and_know_their_options():
    found = [
        call
        for piece in shell_lines()
        for call in re.findall(r"python -m ([a-z_.]+[a-z])(?![\w.…])([^#|]*)", piece.text)
    ]
    wrong = [module for module, _ in found if importlib.util.find_spec(module) is None]
    for module, arguments in found:
        if module.startswith("benchmarks."):
            wrong += [f"{module} {o}" for o in OPTION.findall(arguments) if o not in literals(module.replace(".", "/"))]

    assert len(found) > 8
    assert wrong == []


def test_readme_lists_every_benchmark():
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", pages()["README.md"], re.MULTILINE)
    listed = {name.strip("`") for row in rows for name in row.split(", ")}
    runs = [file for file in tracked("benchmarks/*.py") if "ArgumentParser(" in file.read_text(encoding="utf-8")]
    names = {(file.parent if file.stem == "__main__" else file).stem for file in runs}

    assert names - listed == {"benchmarks", "chaos", "demo"}  # `make bench`, `make chaos` and `make demo-ops`
    assert listed <= names


@pytest.mark.parametrize("command", sorted({command for _, command, _ in calls()}))
def test_each_command_says_what_it_does(command):
    parser = parser_of(command)

    assert parser.description
    assert parser.format_help()


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["check", "check_aggregates", "check_drift", "check_retraining", "ml_test_score"])
def test_commands_that_only_look_run_on_an_empty_site(command):
    assert command in {name for _, name, _ in calls()}

    call_command(command)


def test_the_example_in_python_runs():
    rng = np.random.default_rng(0)
    ratings = pd.DataFrame({name: rng.integers(1, 60, 600) for name in ("user_id", "movie_id")})
    ratings["rating"] = rng.choice([3.0, 4.0, 5.0], 600)
    ratings["rated_at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 600), unit="D")
    [example] = [block for block in blocks("python") if block.page == "docs/recommendations.md"]
    *statements, last = ast.parse(example.text).body
    names = {"ratings": ratings, "movies": None}

    exec(compile(ast.Module(statements, []), example.page, "exec"), names)
    recommendations = eval(compile(ast.Expression(last.value), example.page, "eval"), names)

    assert len(recommendations) == 10


@pytest.mark.django_db
def test_the_example_of_bulk_data_gives_the_answer_shown():
    [(example, shown)] = [
        (piece.text.replace("\\\n", ""), json.loads(answer.text))
        for piece in blocks("sh")
        for answer in blocks("json")
        if piece.page == answer.page == "docs/bulk.md"
    ]
    staff = APIClient()
    staff.force_authenticate(UserFactory(is_staff=True, is_superuser=True))

    def send(kind: str, lines: str) -> dict[str, Any]:
        return staff.post(f"/api/v1/bulk/{kind}/", lines, content_type="application/x-ndjson").json()

    movies = re.search(r"<<'END'\n(.*?)END", example, re.DOTALL)[1].replace("1995", "1795")
    others = re.findall(r"bulk/(\w+)/ .* -d '(.*)'", example)

    assert send("movies", movies) == shown
    assert [(kind, send(kind, line)["inserted"]) for kind, line in others] == [("users", 1), ("ratings", 1)]
