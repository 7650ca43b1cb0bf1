"""Admin forms for schedules. They accept only schedules that Beat can run."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django_celery_beat import admin as beat
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from mlops.next_run import check_row


class CheckedForm(forms.ModelForm):
    """Validates schedules more strictly than Celery, which accepts weekday 7 and 30 February."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        zone = getattr(self.instance, "timezone", None)
        field: Any = self.fields.get("timezone")  # missing if staff may only view the row
        if field and isinstance(zone, str):  # an unknown zone; without it as a choice, the first zone would be selected
            field.choices = [(zone, zone), *field.choices]

    def clean(self) -> dict[str, Any]:
        self.cleaned_data.setdefault("task", "")  # the base class requires the key even if the name is too long
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            model = self._meta.model
            made = model(**{field.name: data[field.name] for field in model._meta.fields if field.name in data})
            try:
                check_row(made if isinstance(made, PeriodicTask) else PeriodicTask(**{KINDS[model]: made}))
            except ValueError as error:
                raise ValidationError(str(error)) from None
        return data


KINDS = {CrontabSchedule: "crontab", IntervalSchedule: "interval"}
ADMINS = {
    PeriodicTask: (beat.PeriodicTaskAdmin, beat.PeriodicTaskForm),
    CrontabSchedule: (beat.CrontabScheduleAdmin, forms.ModelForm),
    IntervalSchedule: (beat.IntervalScheduleAdmin, forms.ModelForm),
}
for model, (base, form) in ADMINS.items():
    admin.site.unregister(model)
    checked = type(form.__name__, (CheckedForm, form), {}) if form is not forms.ModelForm else CheckedForm
    admin.site.register(model, type(base.__name__, (base,), {"form": checked}))
