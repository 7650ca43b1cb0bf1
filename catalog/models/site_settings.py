"""The site-wide settings that staff edit, in a single row. Read them with `catalog.site_settings`."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.site_settings import CIPHER, followed


class SiteSettings(models.Model):
    """The site's settings, in row 1. Secrets are encrypted. Environment variables take precedence."""

    class Security(models.TextChoices):
        STARTTLS = "starttls", _("STARTTLS, usually port 587")
        TLS = "tls", _("TLS, usually port 465")
        NONE = "none", _("None, usually port 25 (only on your own network)")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    site_name = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=12, blank=True)
    region = models.CharField(max_length=2, blank=True, help_text="Code of ISO 3166-1.")
    mail_host = models.CharField(max_length=253, blank=True)
    mail_port = models.PositiveIntegerField(default=587)
    mail_security = models.CharField(max_length=8, choices=Security, default=Security.STARTTLS)
    mail_user = models.CharField(max_length=254, blank=True)
    mail_password_sealed = models.TextField(blank=True, editable=False)
    mail_from = models.CharField(max_length=254, blank=True)
    tmdb_read_token_sealed = models.TextField(blank=True, editable=False)
    setup_nonce = models.CharField(max_length=64, blank=True, editable=False, help_text="Of the link to the first run.")

    class Meta:
        verbose_name = verbose_name_plural = _("site settings")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="catalog_sitesettings_one_row")]

    def __str__(self) -> str:
        return str(_("Site settings"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        followed.forget()

    def seal(self, name: str, secret: str) -> None:
        setattr(self, f"{name}_sealed", CIPHER.encrypt(secret))
