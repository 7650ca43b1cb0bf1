"""Rehearses a release on this machine with the commands of release.yml.

Podman replaces Docker's build action, and a local registry (Debian's docker-registry) replaces GitHub's. Podman finds
the base images with its own configuration."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from rehearsal.workflow import ROOT, SUCCESS, Runner

REPOSITORY, TAG, COMMIT = "Example/Movierec", "v0.0.0", "0123456789abcdef0123456789abcdef01234567"
GITHUB, IMAGES = "ghcr.io", ("example/movierec", "example/movierec-worker")
GH = """#!/bin/sh
test "$*" = "run download 1 --name evidence --dir deploy/ci-evidence" || exit 1
mkdir deploy/ci-evidence && echo '{}' >deploy/ci-evidence/suite.json
"""
CONTENT = "import os; print(os.environ['CODE_REVISION'], *os.listdir('deploy/ci-evidence'))"
SECONDS = 300  # longest time until an image serves, which is enough for an emulator


class Release:
    """The rehearsal of a release. `platforms` replaces the workflow's platforms. Foreign platforms need an emulator."""

    def __init__(self, folder: Path, platforms: str) -> None:
        self.folder, self.platforms, self.registry = folder, platforms.split(","), ""

    def run(self) -> int:
        secret = secrets.token_hex(8)
        known = {"github": {"ref_name": TAG, "sha": COMMIT, "token": secret}, "secrets": {"GITHUB_TOKEN": secret}}
        file = ROOT / ".github/workflows/release.yml"
        with registry(self.folder) as self.registry:
            actions = {"docker/build-push-action": self._build_and_push}
            results = Runner(file, known, self._environment(), self.folder, actions).run()
            served = [
                self._serves(f"{self.registry}/{image}:{tag}", platform)
                for image in (IMAGES if set(results.values()) == {SUCCESS} else ())
                for tag in (TAG, "latest")
                for platform in self.platforms
            ]
        sys.stdout.write(f"rehearse: {results}, {served.count(True)} of {len(served)} images serve\n")
        return 0 if served and all(served) else 1

    def _environment(self) -> dict[str, str]:
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "gh").write_text(GH)
        (tools / "gh").chmod(0o755)
        given = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_RUN_ID": "1"}
        return os.environ | given | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}

    def _build_and_push(self, given: Mapping[str, str], folder: Path) -> bool:
        """Builds and pushes an image like Docker's action, but without SBOM and provenance, which podman lacks."""
        tags = given["tags"].split()
        arguments = [f"--build-arg={value}" for value in given["build-args"].splitlines()]
        platforms = f"--platform={','.join(self.platforms)}"
        build = ["build", platforms, f"--target={given['target']}", *arguments]
        if not podman(*build, f"--manifest={tags[0]}", str(folder / given["context"])):
            return False
        pushed = [tag.replace(GITHUB, self.registry, 1) for tag in tags]
        return all(podman("manifest", "push", "--all", "--tls-verify=false", tags[0], f"docker://{x}") for x in pushed)

    def _serves(self, image: str, platform: str) -> bool:
        """Returns whether the image in the registry contains the files of a release and its site responds."""
        name = f"released-{secrets.token_hex(4)}"
        port = free_port()
        run = ["run", f"--platform={platform}", "--pull=always", "--tls-verify=false", f"--name={name}"]
        try:
            if not podman(*run, "--rm", image, "python", "-c", CONTENT):
                return False
            started = podman(*run, "--detach", f"--publish=127.0.0.1:{port}:8000", image, "web")
            return started and answers(f"http://127.0.0.1:{port}/healthz")
        finally:
            subprocess.run(["podman", "rm", "--force", name], capture_output=True, check=False)


def podman(*arguments: str) -> bool:
    sys.stdout.write(f"    podman {' '.join(arguments)}\n")
    sys.stdout.flush()
    return subprocess.run(["podman", *arguments], check=False).returncode == 0


def answers(url: str) -> bool:
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return True
        except OSError:
            time.sleep(1)
    return False


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Starts an empty registry and yields its address."""
    address = f"127.0.0.1:{free_port()}"
    storage = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    file = folder / "registry.yaml"
    file.write_text(yaml.safe_dump({"version": 0.1, "storage": storage, "http": {"addr": address}}))
    with (folder / "registry.log").open("w") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(file)], stdout=log, stderr=log)
    try:
        if not answers(f"http://{address}/v2/"):
            raise RuntimeError((folder / "registry.log").read_text()[-2000:])
        yield address
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])
