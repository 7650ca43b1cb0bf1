"""Lets management commands replace themselves with programs of this Python environment."""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from django.core.management import CommandError


def become(name: str, *arguments: str, **variables: str) -> NoReturn:
    """Replace this process with the program, which then receives signals directly."""
    program = shutil.which(name, path=str(Path(sys.executable).parent))
    if program is None:
        raise CommandError(f"{name} is not installed in this environment: pip install -r requirements.txt")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(program, [program, *arguments], os.environ | variables)
