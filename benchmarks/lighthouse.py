"""Runs Lighthouse on the main pages, on mobile and desktop: `python -m benchmarks.lighthouse ADDRESS`.

Prints the median of several runs. MEMBER_NAME and MEMBER_PASSWORD are an account for the members' pages. To simulate a
phone, Lighthouse slows down a machine with benchmark index 1500 four times, and this machine less if it is slower.
`--slow-down` changes the factor. Lighthouse prints the index with each report:
https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md#calibrating-the-cpu-slowdown
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.node_tools import LIGHTHOUSE, install
from benchmarks.tables import Row, render

PUBLIC = ("/", "/movies/", "/welcome/", "/accounts/sign-in/")
PERSONAL = ("/", "/for-you/")
ACCOUNTS = tuple(f"/accounts/{page}" for page in ("sign-in/", "sign-up/", "password/reset/"))
OWN = ("", "keys/", "password/", "email/", "second-factor/", "media-servers/", "feeds/", "services/")
OWN_ACCOUNT = tuple(f"/accounts/{page}" for page in OWN)
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
AUDITS = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
FAST, SLOW_DOWN = 1500, 4.0  # minimum benchmark index of a fast machine, and its slow-down factor for a phone
ATTEMPTS = 3  # Chromium sometimes exits before Lighthouse has its result
CHROME = "--headless=new --no-sandbox --disable-gpu"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lighthouse", description=__doc__)
    parser.add_argument("address", help="of a site, such as http://127.0.0.1:8000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow-down", type=float, help="how many times slower than this machine a phone is")
    parser.add_argument("--movie", type=int, help="id of the movie whose page is looked at (default: the best known)")
    parser.add_argument("--accounts", action="store_true", help="the pages of accounts instead")
    given = parser.parse_args()
    public = ACCOUNTS if given.accounts else (*PUBLIC, *_facts(given.address, given.movie))
    pages = [(path, False) for path in public]
    if "MEMBER_PASSWORD" in os.environ:
        pages += [(path, True) for path in (OWN_ACCOUNT if given.accounts else PERSONAL)]
    with tempfile.TemporaryDirectory() as folder:
        program = install(Path(folder), LIGHTHOUSE) / "cli" / "index.js"
        rows: list[Row] = []
        of_phone = given.slow_down or _slow_down(program, given.address, given.runs)
        print(f"A phone is {of_phone:.2f} times slower than this machine", flush=True)
        for path, member in pages:
            for form, slow in (("mobile", of_phone), ("desktop", 1.0)):
                cookies = _cookies(given.address) if member else ""
                reports = [_run(program, given.address + path, form, cookies, slow) for _ in range(given.runs)]
                name = f"{path}{' (member)' if member else ''}"
                rows.append({"page": name, "form": form} | _medians(reports))
                print(*rows[-1].values(), flush=True)
    print(render(f"Lighthouse, median of {given.runs}", rows, dict.fromkeys((*CATEGORIES, *AUDITS[:3], "index"), 0)))


def _facts(address: str, movie: int | None) -> list[str]:
    """Returns the page of the movie, and the page of the first person on it if there is one."""
    if movie is None:
        movies = httpx.get(f"{address}/api/v1/movies/", params={"page_size": 1, "ordering": "most_rated"}).json()
        movie = movies["results"][0]["id"]
    page = httpx.get(f"{address}/movies/{movie}/", follow_redirects=True)
    return [page.url.path, *re.findall(r'href="(/people/[^"]+)"', page.text)[:1]]


def _slow_down(program: Path, address: str, runs: int) -> float:
    reports = [_run(program, f"{address}/accounts/sign-in/", "desktop", "", 1) for _ in range(runs)]
    return SLOW_DOWN * min(1.0, median(report["environment"]["benchmarkIndex"] for report in reports) / FAST)


def _cookies(address: str) -> str:
    with httpx.Client(base_url=address, follow_redirects=True) as client:
        client.get("/accounts/sign-in/")
        form = {"username": os.environ.get("MEMBER_NAME", ""), "password": os.environ["MEMBER_PASSWORD"]}
        form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        client.post("/accounts/sign-in/", data=form, headers={"Referer": address})
        return f"sessionid={client.cookies['sessionid']}"


def _run(program: Path, address: str, form: str, cookies: str, slow: float) -> dict[str, Any]:
    command = ["node", str(program), address, "--output=json", "--quiet", f"--chrome-flags={CHROME}"]
    command += ["--preset=desktop"] if form == "desktop" else [f"--throttling.cpuSlowdownMultiplier={slow:g}"]
    command += [f"--extra-headers={json.dumps({'Cookie': cookies})}"] if cookies else []
    environment = {"CHROME_PATH": os.environ.get("CHROMIUM", "/usr/bin/chromium")} | os.environ
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        if done.returncode == 0:
            report: dict[str, Any] = json.loads(done.stdout)
            return report
        print(done.stderr, file=sys.stderr)
    raise SystemExit(f"Lighthouse failed {ATTEMPTS} times on {address}; its words are above.")


def _medians(reports: list[dict[str, Any]]) -> Row:
    """Returns scores out of 100, times in milliseconds, and the speed of this machine."""
    row = {name: 100 * median(report["categories"][name]["score"] for report in reports) for name in CATEGORIES}
    row |= {name: median(report["audits"][name]["numericValue"] for report in reports) for name in AUDITS}
    return row | {"index": median(report["environment"]["benchmarkIndex"] for report in reports)}


if __name__ == "__main__":
    main()
