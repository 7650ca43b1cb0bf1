"""`pd`: pandas, imported when something of it is first used.

Frames are what people and trainings give and get. A process that only makes lists never needs one, and pandas would
take more of its memory than the model: 38 MB.
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
