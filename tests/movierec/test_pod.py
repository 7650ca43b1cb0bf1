"""Runs deploy/pod with a fake Docker that records its calls."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.processes import ROOT, put_stand_ins

pytestmark = pytest.mark.once
POD_FAKES = {
    "docker": """
echo "$*${COMPOSE_PARALLEL_LIMIT:+, $COMPOSE_PARALLEL_LIMIT at a time}" >>"$CALLS"
for argument; do if [ -f "$argument" ]; then cp "$argument" "$GIVEN"; fi; done
case "$*" in
image*) echo "$IMAGE_BYTES" ;;
"volume ls"*) echo movierec-pod_data ;;
*" up "*) exit 1 ;;
esac""",
}


def pod(folder: Path, *options: str, image_bytes: int = 773_000_000) -> tuple[int, list[str], str]:
    """Its exit code, the calls of docker until the services do not start, and what it says of the reason."""
    given = folder / "given"
    given.mkdir()
    own = put_stand_ins(folder, POD_FAKES) | {"GIVEN": str(given), "IMAGE_BYTES": str(image_bytes)}
    command = ["deploy/pod", *options]
    values = {name: value for name, value in os.environ.items() if name not in ("CONTAINERS", "COMPOSE", "POD_BUILT")}
    done = subprocess.run(command, cwd=ROOT, env=values | own, capture_output=True, text=True, check=False, timeout=60)
    calls = (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []
    return done.returncode, calls, done.stderr


def test_another_user_runs_every_container_of_our_images(tmp_path):
    pod(tmp_path, "--user", "12345")

    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    given = yaml.safe_load((tmp_path / "given" / "user.yml").read_text())["services"]
    assert given == {name: {"user": "12345"} for name, service in services.items() if "build" in service}


def test_the_containers_get_the_path_of_the_site(tmp_path):
    code, _, _ = pod(tmp_path, "--base-path", "/films")

    assert "BASE_PATH=/films" in (tmp_path / "given" / "env").read_text().splitlines()
    assert code == 1


def test_nothing_of_an_earlier_run_is_left(tmp_path):
    _, calls, _ = pod(tmp_path)

    removed = [place for place, call in enumerate(calls) if call == "volume rm movierec-pod_data"]
    used = [
        place
        for place, call in enumerate(calls)
        if call.endswith((" build web worker, 1 at a time", " up --detach --wait"))
    ]
    assert [calls[place - 2].endswith("down --volumes") for place in removed] == [True, True]
    assert removed[0] < used[0] < used[-1] < removed[-1] == len(calls) - 1


def test_two_images_built_in_turn_run_every_service(tmp_path):
    _, calls, _ = pod(tmp_path)

    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images = {name: service["image"] for name, service in services.items() if "build" in service}
    built = [call.partition(" build ")[2] for call in calls if " build" in call]
    assert built == ["web worker, 1 at a time"]
    assert {images[name] for name in ("web", "worker")} == set(images.values())


def test_an_image_that_is_too_large_is_told(tmp_path):
    code, calls, reason = pod(tmp_path, image_bytes=1_101_000_000)

    assert (code, reason.splitlines()[0]) == (1, "pod: movierec has more than 1100 MB")
    assert not [call for call in calls if " up " in call]


@pytest.mark.parametrize("options", [["--user", "ada"], ["--user"], ["--base-path", "films"], ["--fast"]])
def test_wrong_options_of_the_pod_end_with_code_2(tmp_path, options):
    assert pod(tmp_path, *options)[:2] == (2, [])
