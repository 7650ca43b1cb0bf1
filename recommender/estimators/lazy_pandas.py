"""A lazy `pd` that imports pandas on first use.

Only the public API and training use data frames. A process that only makes lists saves the 38 MB that pandas would
take, which is more than the model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
else:

    class _Pandas:
        def __getattr__(self, name: str) -> Any:
            return getattr(import_module("pandas"), name)

    pd = _Pandas()

__all__ = ["pd"]
