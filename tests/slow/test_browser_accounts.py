"""Accounts in a browser, with mails through an SMTP server."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Page, expect

from catalog.models import User
from tests.factories import UserFactory
from tests.processes import free_port
from tests.slow.pages import PASSWORD, fits, follow, sign_in
from tests.totp import code_of

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEW = "another long one"
PHONE = {"width": 360, "height": 700}


class Mailbox:
    """Keeps what the site sends."""

    def __init__(self) -> None:
        self.mails = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802 (aiosmtpd calls it so)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def link(self, to: str) -> str:
        [mail] = [mail for mail in self.mails if mail["To"] == to]
        self.mails.remove(mail)
        return re.search(r"http://\S+", mail.get_content())[0]


@pytest.fixture
def mailbox(settings) -> Iterator[Mailbox]:
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "catalog.mail.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
    yield box
    server.stop()


@pytest.mark.parametrize("javascript", [True, False])
def test_sign_up_confirm_forget_and_change(visit, mailbox, javascript):
    page = visit(javascript=javascript, viewport=PHONE)
    page.goto("/accounts/sign-up/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Email (optional)").fill("Ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Welcome, ada!")).to_be_visible()

    page.goto(mailbox.link("ada@example.org"))
    assert fits(page)
    page.get_by_role("button", name="Confirm address").click()
    expect(page.get_by_text("ada@example.org has been confirmed.")).to_be_visible()

    other = visit(javascript=javascript, viewport=PHONE)
    other.goto("/accounts/sign-in/")
    other.get_by_role("link", name="Forgot your password?").click()
    other.get_by_label("Email").fill("ada@example.org")
    assert fits(other)
    other.get_by_role("button", name="Send link").click()
    expect(other.get_by_role("heading", name="Check your email")).to_be_visible()
    assert fits(other)
    other.goto(mailbox.link("ada@example.org"))
    other.get_by_label("New password").fill("short")
    other.get_by_label("Confirm password").fill("another")
    other.get_by_role("button", name="Save password").click()
    expect(other.locator(".errorlist")).to_have_count(2)
    assert fits(other)
    other.get_by_label("New password").fill(NEW)
    other.get_by_label("Confirm password").fill(NEW)
    other.get_by_role("button", name="Save password").click()
    expect(other.get_by_role("heading", name="Your password has been changed")).to_be_visible()

    page.goto("/accounts/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "ada@example.org", NEW)
    page.goto("/accounts/email/")
    page.get_by_label("New email address").fill("lovelace@example.org")
    assert fits(page)
    page.get_by_role("button", name="Send a confirmation email").click()
    page.get_by_label("Your password").fill(NEW)
    assert fits(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("lovelace@example.org has not been confirmed yet.")).to_be_visible()
    page.goto(mailbox.link("lovelace@example.org"))
    page.get_by_role("button", name="Confirm address").click()
    expect(page.get_by_text("lovelace@example.org has been confirmed.")).to_be_visible()
    assert User.objects.get().email == "lovelace@example.org"
    assert mailbox.mails == []


@pytest.mark.parametrize("javascript", [True, False])
def test_a_sign_up_whose_address_comes_first(visit, mailbox, change_policy, javascript):
    change_policy("accounts", confirm_email="mandatory")
    UserFactory(username="ada")
    page = visit(javascript=javascript, viewport=PHONE)
    sign_up(page, "ada", "lovelace@example.org")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    assert fits(page)
    sign_in(page, "lovelace@example.org", PASSWORD)
    expect(page.get_by_text("Incorrect username or password.")).to_be_visible()
    expect(page.get_by_text("Did you just sign up?")).to_be_visible()
    assert fits(page)

    other = visit(javascript=javascript, viewport=PHONE)
    link = mailbox.link("lovelace@example.org")
    other.goto(link)
    expect(other.get_by_role("heading", name="Choose another name")).to_be_visible()
    assert fits(other)
    other.get_by_label("Username").fill("ADA")
    follow(other.get_by_role("button", name="Create account"))
    expect(other.locator(".errorlist")).to_have_count(1)
    other.get_by_label("Username").fill("lovelace")
    follow(other.get_by_role("button", name="Create account"))
    expect(other.get_by_text("Your account has been created. Sign in as lovelace.")).to_be_visible()
    assert other.request.get(link).status == 404
    sign_in(page, "lovelace", PASSWORD)
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)

    sign_up(other, "charles", "charles@example.org")
    other.goto(mailbox.link("charles@example.org"))
    expect(other.get_by_text("Confirm charles@example.org as the address of charles?")).to_be_visible()
    assert fits(other)
    follow(other.get_by_role("button", name="Create account"))
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()

    sign_up(other, "another", "lovelace@example.org")
    expect(other.get_by_role("heading", name="Check your email")).to_be_visible()
    assert "/accounts/password/reset/" in mailbox.link("lovelace@example.org")
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "lovelace", "charles"}


def sign_up(page: Page, name: str, email: str) -> None:
    page.goto("/accounts/sign-up/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Create account"))


def test_a_link_of_staff_opens_the_account(visit, sam, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    UserFactory(username="nora", email="")
    staff = visit()
    sign_in(staff, "sam")
    staff.goto("/admin/catalog/user/?q=nora")
    staff.get_by_role("checkbox", name="Select this object for an action - nora").check()
    staff.get_by_label("Action:").select_option("Create a password reset link")
    staff.get_by_role("button", name="Go").click()
    address = staff.locator(".password-link").inner_text()

    page = visit(javascript=False)
    page.goto(address)
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("Confirm password").fill(NEW)
    follow(page.get_by_role("button", name="Save password"))
    sign_in(page, "nora", NEW)
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False])
def test_an_authenticator_app(visit, nora, javascript):
    page = visit(javascript=javascript, viewport=PHONE)
    sign_in(page, "nora")
    page.goto("/accounts/")
    follow(page.get_by_role("link", name="Second factor and passkeys"))
    assert fits(page)
    page.get_by_role("link", name="Set up app").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    secret = page.locator("code.token").inner_text()
    assert fits(page)
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("The authenticator app has been turned on.")).to_be_visible()
    codes = page.locator(".recovery-codes li").all_inner_texts()
    assert len(codes) == 10 and fits(page)

    other = visit(javascript=javascript, viewport=PHONE)
    sign_in(other, "nora@example.org")
    expect(other.get_by_role("heading", name="Second factor")).to_be_visible()
    assert fits(other)
    other.get_by_label("Code").fill(codes[0])
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.goto("/accounts/")
    expect(other.get_by_role("heading", name="nora")).to_be_visible()

    page.goto("/accounts/second-factor/")
    page.get_by_role("link", name="Turn off").click()
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("The authenticator app has been turned off.")).to_be_visible()
    other.goto("/accounts/")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_passkey_signs_in_without_name_and_password(visit, nora):
    page = visit(viewport=PHONE)
    give_device(page)
    sign_in(page, "nora")
    page.goto("/accounts/passkeys/add/")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Passkey name").fill("My phone")
    assert fits(page)
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text("The passkey has been added.")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/accounts/sign-in/?next=/ratings/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile(r":\d+/ratings/$"))

    page.context.clear_cookies()
    sign_in(page, "nora")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))
    page.goto("/accounts/second-factor/")
    page.get_by_role("link", name="Remove My phone").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("The passkey has been removed.")).to_be_visible()


def give_device(page: Page) -> None:
    """A device with a passkey store whose owner is there and known to it."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal"}
    options |= dict.fromkeys(("hasResidentKey", "hasUserVerification", "isUserVerified"), True)
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_of_a_closed_account_opens_nothing(visit, nora):
    page = visit()
    give_device(page)
    sign_in(page, "nora")
    page.goto("/accounts/passkeys/add/")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text("The passkey has been added.")).to_be_visible()
    User.objects.filter(pk=nora.pk).update(is_active=False)

    page.context.clear_cookies()
    page.goto("/accounts/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This passkey does not belong to this site.")).to_be_visible()
    page.goto("/accounts/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
