"""A lazy `pd` that imports pandas on first use.

Data frames occur only in the public API and in training. A process that only makes lists never needs pandas, which
would take 38 MB of memory, more than the model.
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
