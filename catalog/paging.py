"""Pagination of long lists, equally fast on all pages."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeysFirstPaginator(Paginator):
    """Selects the keys of a page first, then the rows by key.

    The database can then skip earlier pages within an index instead of reading their rows. In the second half, it
    counts from the end. Requires a total order.
    """

    object_list: QuerySet[Any]

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        keys = self._keys(start, min(start + self.per_page, self.count))
        rows = self.object_list.model._default_manager.in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], number, self)

    def _keys(self, start: int, end: int) -> Sequence[Any]:
        keys = self.object_list.values_list("pk", flat=True)
        if start <= self.count // 2:
            return list(keys[start:end])
        return list(keys.reverse()[self.count - end : self.count - start])[::-1]
