"""npm programs that evaluate pages. They are pinned and installed into a separate folder on use."""

from __future__ import annotations

import subprocess
from pathlib import Path

AXE = "axe-core@4.14.1"
LIGHTHOUSE = "lighthouse@12.8.2"  # the last version for Node 18 and 20


def install(folder: Path, package: str) -> Path:
    """Installs the package and returns its path. Fails if npm is missing."""
    command = ["npm", "install", "--silent", "--no-save", "--ignore-scripts", "--prefix", str(folder), package]
    subprocess.run(command, check=True)
    return folder / "node_modules" / package.split("@")[0]
