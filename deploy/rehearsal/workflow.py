"""Runs the `run:` steps of a GitHub Actions workflow: jobs in the order of `needs`, each with a fresh copy of the
files.

Like GitHub's runner, it uses bash that stops at the first error, and files for outputs and variables. It supports the
syntax that our workflows use. Steps with an action are printed and skipped, except the checkout and those that the
caller implements. Jobs that call another workflow are skipped too."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"'[^']*'|==|!=|&&|\|\||[()]|[\w.-]+")
OPERATORS = {"&&": "and", "||": "or"}
STATUS = ("always", "success", "failure")
SUCCESS, FAILURE, SKIPPED = "success", "failure", "skipped"
LEFT_OUT = ("docs", "tests", "benchmarks", "findings")
# Receives the step's `with` values and the job's folder, and returns whether the action succeeded.
Action = Callable[[Mapping[str, str], Path], bool]


class Runner:
    """Runs one workflow. `contexts` are GitHub's contexts github, vars, secrets and inputs.

    `environment` applies to every process. `actions` replaces GitHub's actions, keyed by name."""

    def __init__(
        self,
        file: Path,
        contexts: dict[str, Any],
        environment: dict[str, str],
        folder: Path,
        actions: Mapping[str, Action] | None = None,
    ) -> None:
        self.workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.contexts, self.environment, self.folder = contexts, environment, folder
        self.actions = actions or {}
        self.results: dict[str, str] = {}
        self.outputs: dict[str, dict[str, str]] = {}

    def run(self) -> dict[str, str]:
        """Runs all jobs and returns the result of each, keyed by name."""
        for name in _in_order(self.workflow["jobs"]):
            self.results[name] = self._run_job(name, self.workflow["jobs"][name])
            _say(f"    job {name}: {self.results[name]}")
        return self.results

    def _run_job(self, name: str, job: Mapping[str, Any]) -> str:
        needed = _listed(job.get("needs"))
        known = self.contexts | {"needs": {other: {"outputs": self.outputs.get(other, {})} for other in needed}}
        if any(self.results[other] != SUCCESS for other in needed) or not evaluate(job.get("if", "true"), known):
            return SKIPPED
        _say(f"==> job {name}")
        if "uses" in job:
            _say(f"--> left to GitHub: {job['uses']}")
            return SUCCESS
        known["env"] = {}
        for values in (self.workflow.get("env", {}), job.get("env", {})):
            known["env"] |= {key: filled(value, known) for key, value in values.items()}
        known["steps"] = {}
        result = self._run_steps(job["steps"], known, _checkout(self.folder / name))
        self.outputs[name] = {key: filled(value, known) for key, value in job.get("outputs", {}).items()}
        return result

    def _run_steps(self, steps: list[dict[str, Any]], known: dict[str, Any], folder: Path) -> str:
        result = SUCCESS
        for step in steps:
            given = str(step.get("if", "success()"))
            condition = given if any(f"{word}()" in given for word in STATUS) else f"success() && ({given})"
            if not evaluate(condition, known, result):
                continue
            if not (self._use(step, known, folder) if "uses" in step else self._run_step(step, known, folder)):
                result = FAILURE
        return result

    def _use(self, step: Mapping[str, Any], known: dict[str, Any], folder: Path) -> bool:
        action = self.actions.get(step["uses"].partition("@")[0])
        _say(f"--> {step['uses']}" if action else f"--> left to GitHub: {step['uses']}")
        return action is None or action({key: filled(value, known) for key, value in step["with"].items()}, folder)

    def _run_step(self, step: Mapping[str, Any], known: dict[str, Any], folder: Path) -> bool:
        _say(f"--> {step.get('name', step['run'].strip())}")
        files = {name: folder / ".runner" / name for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.parent.mkdir(exist_ok=True)
            file.touch()
        for name in ("GITHUB_OUTPUT", "GITHUB_ENV"):
            files[name].write_text("")
        own = {key: filled(value, known) for key, value in step.get("env", {}).items()}
        values = self.environment | known["env"] | own | {name: str(file) for name, file in files.items()}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", filled(step["run"], known)]
        done = subprocess.run(command, cwd=folder, env=values, check=False)
        known["env"] |= dict(_pairs(files["GITHUB_ENV"]))
        if "id" in step:
            known["steps"][step["id"]] = {"outputs": dict(_pairs(files["GITHUB_OUTPUT"]))}
        if done.returncode:
            _say(f"    ended with {done.returncode}")
        return done.returncode == 0


def _in_order(jobs: Mapping[str, Any]) -> Iterator[str]:
    done: set[str] = set()
    while ready := [name for name in jobs if name not in done and done.issuperset(_listed(jobs[name].get("needs")))]:
        yield from ready
        done.update(ready)


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []


def filled(text: Any, contexts: Mapping[str, Any]) -> str:
    """Replaces the ${{ expressions }} in the text by their values."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(evaluate(match[1], contexts) or ""), str(text), flags=re.DOTALL)


def evaluate(expression: Any, contexts: Mapping[str, Any], result: str = SUCCESS) -> Any:
    """Evaluates an expression from our own workflows. As on GitHub, unknown names give an empty string."""

    def python(token: str) -> str:
        is_literal = token[0] == "'" or token in ("==", "!=", "(", ")")
        if is_literal or token in STATUS:
            return token
        return OPERATORS.get(token) or {"true": "True", "false": "False"}.get(token) or f"look_up({token!r})"

    def look_up(name: str) -> Any:
        found: Any = contexts
        for part in name.split("."):
            found = found.get(part, "") if isinstance(found, Mapping) else ""
        return found

    status = {"always": lambda: True, "success": lambda: result == SUCCESS, "failure": lambda: result == FAILURE}
    code = " ".join(python(token) for token in CODE.findall(str(expression)))
    return eval(code, {"__builtins__": {}}, status | {"look_up": look_up})


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # keeps the output in order with that of the steps


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        yield name, value


def _checkout(folder: Path) -> Path:
    """Copies the files of this work tree and links its installed packages. Returns the folder."""
    listed = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        *(f":!{x}" for x in LEFT_OUT),
    ]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    venv = folder / ".venv"
    venv.mkdir()
    for part in (ROOT / ".venv").resolve().iterdir():
        if not part.name.startswith("."):
            (venv / part.name).symlink_to(part)
    for stamp in (".run-ready", ".dev-ready"):  # makes `make setup` skip the installation
        (venv / stamp).touch()
        os.utime(venv / stamp)
    return folder
