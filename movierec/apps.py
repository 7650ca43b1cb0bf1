from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.db.models import Field, Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from catalog.site_settings import hide_secret
from movierec.redaction import never_show

# The site's apps, and those of allauth, which mark only some of their strings for translation.
WITH_NAMES_AS_WRITTEN = ("catalog", "recommender", "mlops", "account", "mfa", "socialaccount")

model_texts: set[str] = set()  # strings that `translate_models` passed to gettext


class MovierecConfig(AppConfig):
    name = "movierec"

    def ready(self) -> None:
        from movierec import checks  # noqa: F401 (registers the checks)

        hide_secret.append(never_show)
        translate_models()


def translate_models() -> None:
    """Pass the names, choices and help texts of models and fields to gettext, unless they are already translated.

    Django derives most of these names from identifiers, which cannot be marked for translation. `deploy/messages`
    collects them from `model_texts`.
    """
    for model in apps.get_models():
        if model._meta.app_label not in WITH_NAMES_AS_WRITTEN:
            continue
        _translate_names(model)
        for field in _own_fields(model):
            field.verbose_name = _translated(field.verbose_name)
            field.help_text = _translated(field.help_text)
            if field.choices:
                field.choices = [(value, _translated(label)) for value, label in field.flatchoices]


def _translate_names(model: type[Model]) -> None:
    names = model._meta
    if "verbose_name_plural" not in names.original_attrs:
        names.verbose_name_plural = f"{names.verbose_name_raw}s"  # like Django, but as a single string
    names.verbose_name = _translated(names.verbose_name)
    names.verbose_name_plural = _translated(names.verbose_name_plural)


def _own_fields(model: type[Model]) -> Iterator[Any]:
    return (field for field in model._meta.get_fields() if isinstance(field, Field))


def _translated(text: Any) -> Any:
    if isinstance(text, Promise) or not any(map(str.isalpha, text)):
        return text
    model_texts.add(text)
    return gettext_lazy(text)
