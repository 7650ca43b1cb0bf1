"""What keeps the rooms apart and the files small."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from django.apps import apps

from tests.processes import BIN, ROOT, environment

ROOMS = ["catalog", "recommender", "mlops", "movierec"]  # each may know those before it
MAX_LINES = 500


def tracked(*patterns: str) -> list[Path]:
    """Files of the work tree that git knows, or that are new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_imports_point_one_way():
    done = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_relations_between_models_point_down():
    upward = []
    for model in apps.get_models():
        for field in model._meta.get_fields(include_hidden=True):
            target = getattr(field, "related_model", None) if field.concrete else None
            rooms = [model._meta.app_label, target._meta.app_label] if target else []
            if all(room in ROOMS for room in rooms) and rooms and ROOMS.index(rooms[0]) < ROOMS.index(rooms[1]):
                upward.append(f"{model.__name__}.{field.name} -> {target.__name__}")

    assert upward == []


def test_no_source_file_is_too_long():
    exempt = re.compile(r"/migrations/|movierec/settings\.py$")
    lengths = {str(file): len(file.read_text(encoding="utf-8").splitlines()) for file in tracked("*.py")}

    assert lengths
    assert {f: n for f, n in lengths.items() if n > MAX_LINES and not exempt.search(f)} == {}


def test_every_room_keeps_its_logic_out_of_a_drawer_for_everything():
    names = {"utils.py", "helpers.py", "selectors.py", "repositories.py"}

    assert [str(file) for file in tracked("*.py") if file.name in names] == []


def text_of_tests() -> str:
    return "\n".join(
        file.read_text(encoding="utf-8") for file in tracked("tests/*.py") if file.name.startswith("test_")
    )


def test_every_command_has_a_test():
    commands = [file.stem for file in tracked("*/management/commands/*.py") if file.stem != "__init__"]
    text = text_of_tests()

    assert commands
    assert [name for name in commands if not re.search(rf"\b{name}\b", text)] == []


def test_every_task_has_a_test():
    current_app.loader.import_default_modules()
    tasks = [name for name in current_app.tasks if name.split(".")[0] in ROOMS]
    text = text_of_tests()

    assert tasks
    assert [name for name in tasks if not re.search(rf"\b{name.split('.')[-1]}\b", text)] == []


def test_tasks_are_named_after_their_room():
    current_app.loader.import_default_modules()

    assert [n for n in current_app.tasks if n.split(".")[0] not in [*ROOMS, "celery"]] == []


@pytest.mark.parametrize("pattern", [r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", r"<style", r"\sstyle=", r"\son[a-z]+="])
def test_templates_hold_no_inline_script_or_style(pattern):
    templates = tracked("templates/*.html", "*/templates/*.html")

    assert templates
    assert [str(file) for file in templates if re.search(pattern, file.read_text(encoding="utf-8"))] == []


def test_only_two_modules_import_mlflow():
    allowed = {"mlops/registry/mlflow_client.py", "mlops/registry/pyfunc_model.py"}
    found = set()
    for file in tracked(*(f"{room}/*.py" for room in ROOMS)):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "mlflow" for name in names):
                found.add(str(file.relative_to(ROOT)))

    assert found - allowed == set()


def run(program: str, variables: dict[str, str]) -> None:
    """In a process of its own, which must end well."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_web_process_never_loads_mlflow(transactional_db):
    """It costs a second and 170 MB; pages, API and admin do without."""
    program = (
        "import sys\n"
        "from movierec.wsgi import application\n"
        "from django.core.management import call_command\n"
        "from django.test import Client\n"
        "call_command('collectstatic', interactive=False, verbosity=0)\n"
        "client = Client(raise_request_exception=True)\n"
        "for path in ('/', '/movies/', '/readyz', '/admin/login/', '/api/schema/'):\n"
        "    assert client.get(path, headers={'host': 'localhost'}).status_code == 200, path\n"
        "sys.exit('mlflow' in sys.modules)\n"
    )
    run(program, environment())


def test_a_command_starts_without_what_models_are_made_of(tmp_path):
    """Pandas and the estimators take as long to import as all else together."""
    program = (
        "import sys\n"
        "import django\n"
        "from django.core.management import call_command\n"
        "django.setup()\n"
        "call_command('check')\n"
        "assert not {'pandas', 'scipy', 'sklearn', 'mlflow'} & set(sys.modules)\n"
    )
    run(program, environment(VAR_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="movierec.settings"))


def test_the_process_that_tries_a_model_has_its_code_before_the_limit_on_memory():
    run("import mlops.registry.smoke_test, sys\nassert 'recommender.estimators.hybrid' in sys.modules\n", environment())


def test_the_web_processes_share_what_models_are_made_of(tmp_path):
    program = (
        "import runpy, sys\n"
        "runpy.run_path('deploy/gunicorn.py')['on_starting'](None)\n"
        "assert {'pandas', 'recommender.estimators.hybrid'} <= set(sys.modules)\n"
    )
    run(program, environment(VAR_DIR=str(tmp_path)))


def test_no_thread_and_no_connection_is_carried_over_to_the_web_processes(tmp_path):
    """They are forked from a process that has imported the code, and would share what it had opened."""
    program = (
        "import runpy, threading\n"
        "runpy.run_path('deploy/gunicorn.py')['on_starting'](None)\n"
        "from django.db import connections\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert connections['default'].connection is None\n"
    )
    run(program, environment(VAR_DIR=str(tmp_path)))
