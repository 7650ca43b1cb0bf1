"""Admin classes for tables with millions of rows, and for read-only tables."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import CASCADE, PROTECT, Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest


class CappedPaginator(Paginator):
    """Counts up to `cap` rows only, because counting all of them takes seconds."""

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
    """Rows written by the system. The admin cannot add, change or delete them."""

    def never(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = never


class DeletesEach(admin.ModelAdmin):
    """Deletes selected rows one by one, as their own pages do, because deletion has effects elsewhere."""

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            self.delete_model(request, row)


class CappedFormSet(BaseInlineFormSet):
    """Shows only the first rows. The model's own list shows all."""

    cap = 100

    def get_queryset(self) -> Any:
        if not hasattr(self, "_capped"):
            self._capped = super().get_queryset()[: self.cap]
        return self._capped


class CountedDeletion(admin.ModelAdmin):
    """Counts related rows on the deletion page instead of listing them. A movie can have 100,000 ratings."""

    def get_deleted_objects(
        self, objs: Sequence[Model] | Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        rows = list(objs)
        counts = {str(self.opts.verbose_name_plural): len(rows)}
        lacking: set[str] = set()
        protected: list[str] = []
        for relation in self.opts.related_objects:
            if relation.on_delete not in (CASCADE, PROTECT):
                continue
            related, name = relation.related_model, str(relation.related_model._meta.verbose_name_plural)
            if count := related._base_manager.filter(**{f"{relation.field.name}__in": rows}).count():
                counts[name] = count
                if relation.on_delete is PROTECT:
                    protected.append(f"{count} {name}")
                if not request.user.has_perm(f"{related._meta.app_label}.delete_{related._meta.model_name}"):
                    lacking.add(name)
        return [str(row) for row in rows], counts, lacking, protected
