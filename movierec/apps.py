from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.db.models import Field, Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from catalog.site_settings import hide_secret
from movierec.redaction import never_show

# The site's own, and allauth's, which marks only a part of its texts. Django marks all of its own.
WITH_NAMES_AS_WRITTEN = ("catalog", "recommender", "mlops", "account", "mfa", "socialaccount")

model_texts: set[str] = set()  # that `translate_models` gave to gettext


class MovierecConfig(AppConfig):
    name = "movierec"

    def ready(self) -> None:
        from movierec import checks  # noqa: F401 (registers them)

        hide_secret.append(never_show)
        translate_models()


def translate_models() -> None:
    """Gives the names of models and fields, their choices and hints to gettext, all that are not given to it yet.

    Most of these names are made by Django from those in the code, where nothing could mark them as texts.
    `deploy/messages` collects them from `model_texts`.
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
        names.verbose_name_plural = f"{names.verbose_name_raw}s"  # as Django does it, in one text
    names.verbose_name = _translated(names.verbose_name)
    names.verbose_name_plural = _translated(names.verbose_name_plural)


def _own_fields(model: type[Model]) -> Iterator[Any]:
    return (field for field in model._meta.get_fields() if isinstance(field, Field))


def _translated(text: Any) -> Any:
    if isinstance(text, Promise) or not any(map(str.isalpha, text)):
        return text
    model_texts.add(text)
    return gettext_lazy(text)
