"""For tables of millions of rows: counts that stop, and a deletion page that counts instead of listing."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import CASCADE, PROTECT, Model
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest


class CappedPaginator(Paginator):
    """Counts no further than `cap`: nobody turns to the rows beyond, and counting them all takes seconds."""

    cap = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.order_by().values_list("pk")[: self.cap])


class LargeTableAdmin(admin.ModelAdmin):
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50


class ReadOnlyAdmin(LargeTableAdmin):
    """Rows that the system writes: nobody can add, change or delete one by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CappedFormSet(BaseInlineFormSet):
    """Shows the first rows only; the rest is in the list of its own model."""

    cap = 100

    def get_queryset(self) -> Any:
        if not hasattr(self, "_capped"):
            self._capped = super().get_queryset()[: self.cap]
        return self._capped


class CountedDeletion(admin.ModelAdmin):
    """What goes along with a deleted row is counted, not listed: a movie can have a hundred thousand ratings."""

    def get_deleted_objects(
        self, objs: Sequence[Model] | Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        rows = list(objs)
        counts = {str(self.opts.verbose_name_plural): len(rows)}
        lacking: set[str] = set()
        protected: list[str] = []
        for relation in self.opts.related_objects:
            related = relation.related_model
            if relation.on_delete not in (CASCADE, PROTECT):
                continue
            count = related._base_manager.filter(**{f"{relation.field.name}__in": rows}).count()
            if not count:
                continue
            name = str(related._meta.verbose_name_plural)
            if relation.on_delete is PROTECT:
                protected.append(f"{count} {name}")
            counts[name] = count
            if not request.user.has_perm(f"{related._meta.app_label}.delete_{related._meta.model_name}"):
                lacking.add(name)
        return [str(row) for row in rows], counts, lacking, protected
