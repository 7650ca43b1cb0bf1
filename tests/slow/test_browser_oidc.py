"""Single sign-on in a browser, with a provider in a separate process."""

import re

import pytest
from allauth.socialaccount.models import SocialAccount
from playwright.sync_api import expect

from catalog.invitations import invite
from catalog.models import User
from tests.slow.oidc_provider import Provider, at_provider, axe, is_signed_in_as, provider, single_sign_on, visit
from tests.slow.pages import PASSWORD, fits, follow, sign_in
from tests.slow.test_browser_accounts import PHONE, give_device

__all__ = ["axe", "provider", "visit"]

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

VIOLATIONS = """axe.run(document, {resultTypes: ["violations"]}).then((result) => result.violations.map(
    (rule) => `${rule.id} at ${rule.nodes.slice(0, 3).map((node) => node.target).join(" and ")}`))"""


@pytest.mark.parametrize("javascript", [True, False])
def test_a_new_person_signs_up_and_in(visit, provider, javascript):
    page = visit(javascript=javascript, viewport=PHONE)
    page.goto("/accounts/sign-in/?next=/watchlist/")
    assert fits(page)
    page.get_by_role("button", name="Continue with Club ID").click()
    at_provider(page, "ada")
    expect(page.get_by_label("Username")).to_have_value("ada")
    expect(page.get_by_text("ada@example.org")).to_be_visible()
    assert fits(page)
    page.get_by_label("Username").fill("no spaces")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".errorlist")).to_have_count(1)
    page.get_by_label("Username").fill("lovelace")
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile("/watchlist/$"))
    expect(page.get_by_text("Welcome, lovelace!")).to_be_visible()

    other = visit(javascript=javascript, viewport=PHONE)
    single_sign_on(other, "ada")
    expect(other).to_have_url(re.compile(r":\d+/$"))
    is_signed_in_as(other, "lovelace")
    assert User.objects.get().email == "ada@example.org"


@pytest.mark.parametrize("javascript", [True, False])
def test_an_account_is_connected_and_disconnected(visit, provider, nora, javascript):
    page = visit(javascript=javascript, viewport=PHONE)
    single_sign_on(page, "nora")
    expect(page.get_by_text("An account on this site has your email address")).to_be_visible()
    assert fits(page)
    follow(page.get_by_role("link", name="sign in as before"))
    sign_in(page, "nora")
    left_open = visit()
    sign_in(left_open, "nora")
    page.goto("/accounts/")
    follow(page.get_by_role("link", name="Single sign-on"))
    assert fits(page)
    page.get_by_role("link", name="Connect Club ID").click()
    page.get_by_label("Your password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Continue"))
    assert fits(page)
    page.get_by_role("button", name="Continue with Club ID").click()
    at_provider(page, "nora")
    expect(page.get_by_text("Connected.")).to_be_visible()
    assert fits(page)
    left_open.goto("/accounts/")
    expect(left_open.get_by_role("heading", name="Sign in")).to_be_visible()

    single_sign_on(left_open, "nora")
    is_signed_in_as(left_open, "nora")
    assert User.objects.count() == 1

    follow(page.get_by_role("link", name="Disconnect"))
    assert fits(page)
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Disconnected.")).to_be_visible()
    left_open.goto("/accounts/")
    expect(left_open.get_by_role("heading", name="Sign in")).to_be_visible()
    single_sign_on(left_open, "nora")
    expect(left_open.get_by_role("heading", name="Sign up")).to_be_visible()


def test_who_may_come_in(visit, provider, nora, sam, change_policy):
    SocialAccount.objects.create(user=nora, provider=provider.issuer, uid="nora")
    change_policy("accounts", sign_up="closed", members_only=True)
    page = visit(viewport=PHONE)
    single_sign_on(page, "ada", "/movies/")
    expect(page.get_by_text("Sign-up is closed on this site.")).to_be_visible()
    single_sign_on(page, "nora", "/movies/")
    expect(page).to_have_url(re.compile("/movies/$"))

    change_policy("accounts", sign_up="invitation")
    page = visit(viewport=PHONE)
    single_sign_on(page, "ada")
    expect(page.get_by_text("Sign-up requires an invitation")).to_be_visible()
    code = invite(by=sam)[1]
    single_sign_on(page, "ada", f"/accounts/sign-up/?invitation={code}")
    page.get_by_role("button", name="Create account").click()
    is_signed_in_as(page, "ada")
    other = visit()
    single_sign_on(other, "grace", f"/accounts/sign-up/?invitation={invite(by=sam)[1]}")
    expect(other.get_by_label("Username")).to_have_value("")


def test_another_issuer_knows_nobody_here(visit, provider, nora, settings):
    SocialAccount.objects.create(user=nora, provider=provider.issuer, uid="nora")
    another = Provider()
    settings.OIDC = another.client()
    page = visit()
    single_sign_on(page, "nora")
    expect(page.get_by_role("heading", name="Sign up")).to_be_visible()
    another.stop()

    sign_in(page, "nora")
    page.goto("/accounts/identities/")
    expect(page.get_by_text(provider.issuer)).to_be_visible()


def test_a_provider_that_is_down_or_refuses(visit, provider, nora):
    page = visit(viewport=PHONE)
    page.goto("/accounts/sign-in/")
    page.get_by_role("button", name="Continue with Club ID").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Sign-in with Club ID failed")).to_be_visible()
    assert fits(page)
    provider.stop()
    page.get_by_role("link", name="Back to sign-in").click()
    page.get_by_role("button", name="Continue with Club ID").click()
    expect(page.get_by_text("Club ID is not responding correctly")).to_be_visible()
    sign_in(page, "nora")
    is_signed_in_as(page, "nora")


def test_each_page_is_accessible(visit, provider, nora, settings, axe):
    """Those that no link leads to; the others are looked at with all pages of the site."""
    page = visit(viewport=PHONE, bypass_csp=True, reduced_motion="reduce")  # axe sets styles
    found = {}

    def look(what: str) -> None:
        assert fits(page), what
        page.add_style_tag(content="* { transition: none !important }")
        page.evaluate(axe)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found[f"{what}, {scheme}"] = page.evaluate(VIOLATIONS)

    page.goto("/accounts/sign-in/")
    look("sign in")
    single_sign_on(page, "nora")
    look("sign up, address known")
    single_sign_on(page, "ada")
    look("sign up")
    page.goto("/accounts/sign-in/")
    page.route("**/oauth2/authorize*", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Continue with Club ID").click()
    expect(page.get_by_role("heading", name="Continue to Club ID")).to_be_visible()
    look("on the way")
    page.unroute_all()
    page.goto("/accounts/identities/callback/?state=x")
    look("no sign-in waits")
    settings.PASSWORD_SIGN_IN = False
    for address in ("sign-in", "sign-up", "password/reset"):
        page.goto(f"/accounts/{address}/")
        look(f"{address} without passwords")
    settings.PASSWORD_SIGN_IN = True
    SocialAccount.objects.create(user=nora, provider=provider.issuer, uid="nora")
    SocialAccount.objects.create(user=nora, provider="https://former.example.org", uid="nora")
    single_sign_on(page, "nora")
    for address in ("", "identities/", "identities/confirm/", "identities/connect/"):
        page.goto(f"/accounts/{address}")
        look(address)
    page.get_by_label("Your password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Continue"))
    look("connect")

    assert {what: rules for what, rules in found.items() if rules} == {}


@pytest.mark.parametrize("javascript", [True, False])
def test_a_site_without_passwords(visit, provider, sam, settings, javascript):
    settings.PASSWORD_SIGN_IN = False
    SocialAccount.objects.create(user=sam, provider=provider.issuer, uid="sam")
    page = visit(javascript=javascript, viewport=PHONE)
    single_sign_on(page, "ada")
    page.get_by_role("button", name="Create account").click()
    is_signed_in_as(page, "ada")
    expect(page.get_by_role("link", name="Change password")).to_have_count(0)
    page.get_by_role("link", name="Delete account").click()
    expect(page.get_by_role("heading", name="Confirm your identity")).to_be_visible()
    page.get_by_role("button", name="Continue with Club ID").click()
    at_provider(page, "sam")
    expect(page.get_by_text("with an account that is not connected here")).to_be_visible()
    page.goto("/accounts/delete/")
    page.get_by_role("button", name="Continue with Club ID").click()
    at_provider(page, "ada")
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text("Your account and all its data have been deleted.")).to_be_visible()
    assert not SocialAccount.objects.filter(uid="ada").exists()

    page.goto("/admin/")
    expect(page.get_by_label("Password")).to_have_count(0)
    page.get_by_role("button", name="Continue with Club ID").click()
    at_provider(page, "sam")
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()


def test_a_passkey_needs_neither(visit, provider, settings):
    settings.PASSWORD_SIGN_IN = False
    page = visit()
    give_device(page)
    single_sign_on(page, "ada")
    follow(page.get_by_role("button", name="Create account"))
    page.goto("/accounts/passkeys/add/")
    page.get_by_role("button", name="Continue with Club ID").click()
    at_provider(page, "ada")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text("The passkey has been added.")).to_be_visible()
    provider.stop()

    page.context.clear_cookies()
    page.goto("/accounts/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).not_to_have_url(re.compile("/accounts/sign-in/"))
    is_signed_in_as(page, "ada")
