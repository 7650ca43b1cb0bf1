"""Pages of long lists, as quick at the end as at the beginning."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeysFirstPaginator(Paginator):
    """Finds the keys of a page's rows, then the rows by their keys alone; what was prefetched with them is not.

    What lies before a page is so passed over in an index, not row by row, and from the middle on counted from the end.
    For querysets in a total order.
    """

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        keys = self._keys(start, min(start + self.per_page, self.count))
        rows = self._found.model._default_manager.in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], number, self)

    @property
    def _found(self) -> QuerySet[Any]:
        assert isinstance(self.object_list, QuerySet)
        return self.object_list

    def _keys(self, start: int, end: int) -> Sequence[Any]:
        keys = self._found.values_list("pk", flat=True)
        if start <= self.count // 2:
            return list(keys[start:end])
        return list(keys.reverse()[self.count - end : self.count - start])[::-1]
