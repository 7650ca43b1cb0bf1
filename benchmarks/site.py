"""Configures Django for a benchmark, before modules with models are imported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import django


def load(module: str, environment: Mapping[str, str]) -> Any:
    """Imports the module with the settings of this environment. Its models use the site's database."""
    os.environ.update(environment)
    django.setup()
    return import_module(module)
