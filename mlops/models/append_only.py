"""Rows that are written once: a trail that could be changed would prove nothing."""

from typing import Any, NoReturn, Self

from django.db import models


class RowIsKept(TypeError):
    """A row of a trail was about to be changed or removed."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **values: Any) -> NoReturn:
        raise RowIsKept(f"{self.model.__name__} rows are added, never changed.")

    def delete(self) -> NoReturn:
        raise RowIsKept(f"{self.model.__name__} rows are added, never removed.")

    def bulk_update(self, *arguments: Any, **options: Any) -> NoReturn:
        raise RowIsKept(f"{self.model.__name__} rows are added, never changed.")


class AppendOnly(models.Model):
    """That an account goes away (SET_NULL) is the one change that passes: the database's own doing, not a writer's."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self: Self, *arguments: Any, **options: Any) -> None:
        if self.pk is not None and not self._state.adding:
            raise RowIsKept(f"{type(self).__name__} {self.pk} is kept as it was written.")
        super().save(*arguments, **options)

    def delete(self, *arguments: Any, **options: Any) -> NoReturn:
        raise RowIsKept(f"{type(self).__name__} {self.pk} is kept.")
