"""Steps of a sign-in between the password and the session."""

from typing import Any

from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.stages import EmailVerificationStage

from catalog.accounts import has_to_confirm
from catalog.models import User


class ConfirmEmailStage(EmailVerificationStage):
    """Requires a confirmed address if the policy says so. Otherwise sends the mail and signs the new account in."""

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if isinstance(user, User) and has_to_confirm(user):
            self.login.email_verification = EmailVerificationMethod.MANDATORY
        return super().handle()
