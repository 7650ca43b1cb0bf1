"""The adapter for authenticator apps and passkeys. Their secrets are encrypted in the database."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _

from catalog.encryption import Cipher
from catalog.site_settings import site_name

CIPHER = Cipher("second factor")


class SecondFactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return CIPHER.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return CIPHER.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return site_name()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        n = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(n)d") % {"n": n + 1}
