"""Programs of npm that judge pages: pinned, and installed into a folder of one's own whenever they are used."""

from __future__ import annotations

import subprocess
from pathlib import Path

AXE = "axe-core@4.14.1"
LIGHTHOUSE = "lighthouse@12.8.2"  # the last for Node 18 and 20


def install(folder: Path, package: str) -> Path:
    """Where the package is then; fails where npm is missing."""
    command = ["npm", "install", "--silent", "--no-save", "--ignore-scripts", "--prefix", str(folder), package]
    subprocess.run(command, check=True)
    return folder / "node_modules" / package.split("@")[0]
