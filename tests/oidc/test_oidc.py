"""Logins by a provider: groups become roles, and each check of the token refuses its lie."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from oidc.conftest import Site
from oidc.double import Claims, Provider, by_public_key, made_key, signed, unsigned
from pydantic import ValidationError

from bootz.config.operator import OidcSettings
from bootz.server.api.auth.accounts import add_account, set_account
from bootz.server.api.auth.roles import OperatorRole


def reason(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


REFUSED = (401, "oidc-token-refused")


def test_a_first_login_makes_the_account_with_the_role_of_its_group(
    site: Site, provider: Provider
) -> None:
    answer = site.login(provider)

    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    assert site.me() == {"name": "user:ann", "role": "operator", "scope": {}}
    (account,) = site.accounts()
    assert account.subject == f"{provider.issuer} ann-at-the-provider"
    assert not account.has_password
    assert provider.asked["scope"] == "openid profile groups"
    assert site.outcomes() == [("user.add", "done"), ("user.login", "done")]


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["readers"], "viewer"),
        (["readers", "netadmins", "netops"], "admin"),
        (["nobody", "readers"], "viewer"),
    ],
)
def test_the_highest_role_counts(
    site: Site, provider: Provider, groups: list[str], role: str
) -> None:
    provider.groups = groups
    site.login(provider)
    assert site.me()["role"] == role


@pytest.mark.parametrize("groups", [[], ["nobody"], ["NETADMINS"], "netadmins", {"netadmins": 1}])
def test_without_a_group_of_ours_nobody_comes_in(
    site: Site, provider: Provider, groups: Any
) -> None:
    provider.groups = groups
    assert reason(site.login(provider)) == (403, "oidc-no-role")
    assert site.accounts() == ()


def test_another_group_is_another_role_at_the_next_login(site: Site, provider: Provider) -> None:
    provider.groups = ["netadmins"]
    site.login(provider)
    with site.database.write() as connection:
        add_account(connection, "root", OperatorRole.ADMIN, now=site.now)
    provider.groups = ["readers"]
    site.login(provider)
    assert site.me()["role"] == "viewer"


def test_groups_that_only_the_user_info_has(site: Site, provider: Provider) -> None:
    provider.groups = None
    provider.user_info = {"sub": provider.subject, "groups": ["netops"]}
    site.login(provider)
    assert site.me()["role"] == "operator"


def test_user_info_of_another_subject_is_not_believed(site: Site, provider: Provider) -> None:
    provider.groups = None
    provider.user_info = {"sub": "another", "groups": ["netadmins"]}
    assert reason(site.login(provider)) == (403, "oidc-no-role")


def test_an_account_is_not_taken_over_by_its_name(site: Site, provider: Provider) -> None:
    with site.database.write() as connection:
        add_account(connection, "Ann", OperatorRole.ADMIN, now=site.now)
    assert reason(site.login(provider)) == (403, "oidc-account-refused")
    assert site.me()["reason"] == "login-needed"


def test_two_subjects_of_one_name_are_two_people(site: Site, provider: Provider) -> None:
    site.login(provider)
    provider.subject = "another-ann"
    assert reason(site.login(provider)) == (403, "oidc-account-refused")


def test_a_disabled_account_stays_out(site: Site, provider: Provider) -> None:
    site.login(provider)
    with site.database.write() as connection:
        set_account(connection, "ann", enabled=False)
    assert reason(site.login(provider)) == (403, "oidc-account-refused")
    assert site.outcomes()[-1] == ("user.login", "oidc-account-refused")


def claims(**changes: Any) -> Callable[[Claims], Claims]:
    def lie(honest: Claims) -> Claims:
        told = {**honest, **changes}
        return {key: value for key, value in told.items() if value is not ...}

    return lie


@pytest.mark.parametrize(
    "lie",
    [
        claims(aud="another-client"),
        claims(aud=["another-client", "a-third"]),
        claims(aud=...),
        claims(aud=["bootz", "another-client"]),
        claims(azp="another-client"),
        claims(iss="https://evil.example"),
        claims(iss=...),
        claims(exp=int(time.time()) - 3600),
        claims(exp=...),
        claims(exp="9999999999"),
        claims(exp=True),
        claims(iat=int(time.time()) + 86_400),
        claims(iat=...),
        claims(nbf=int(time.time()) + 86_400),
        claims(nonce="another"),
        claims(nonce=...),
        claims(nonce=7),
        claims(sub=...),
        claims(sub=""),
        claims(sub="x" * 300),
    ],
)
def test_claims_that_do_not_hold(
    site: Site, provider: Provider, lie: Callable[[Claims], Claims]
) -> None:
    provider.lie = lie
    assert reason(site.login(provider)) == REFUSED
    assert site.accounts() == ()


def test_several_audiences_with_us_as_the_party(site: Site, provider: Provider) -> None:
    provider.lie = claims(aud=["bootz", "another-client"], azp="bootz")
    assert site.login(provider).status_code == 200


@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        by_public_key,
        lambda told, _key: signed(told, made_key("one")),
        lambda told, key: signed(told, key)[:-4] + "AAAA",
        lambda _told, _key: "",
        lambda _told, _key: "a.b.c",
        lambda _told, _key: "x" * 5000,
    ],
    ids=["none", "hmac", "foreign-key", "cut", "empty", "no-token", "long"],
)
def test_tokens_that_the_provider_did_not_sign(site: Site, provider: Provider, sign: Any) -> None:
    provider.sign = sign
    assert reason(site.login(provider)) == REFUSED


def test_a_token_of_an_earlier_login_is_refused(site: Site, provider: Provider) -> None:
    kept: list[str] = []

    def sign(told: Claims, key: Any) -> str:
        kept.append(signed(told, key))
        return kept[0]

    provider.sign = sign
    assert site.login(provider).status_code == 200
    assert reason(site.login(provider)) == REFUSED


def test_an_answer_counts_once(site: Site, provider: Provider) -> None:
    query = provider.authorize(site.begin())
    assert site.end(query).status_code == 200
    assert reason(site.end(query)) == (401, "oidc-login-refused")


def test_an_answer_for_another_browser(site: Site, provider: Provider) -> None:
    """Whoever gets a person to follow a link of theirs logs nobody in."""
    query = provider.authorize(site.begin())
    victim = TestClient(site.browser.app, base_url=str(site.browser.base_url))
    told = victim.get("/api/v1/login/oidc/callback", params=query)
    assert reason(told) == (401, "oidc-login-refused")


@pytest.mark.parametrize(
    "change",
    [{"state": "another"}, {"iss": "https://evil.example"}, {"code": "another"}],
)
def test_answers_that_are_not_the_providers(
    site: Site, provider: Provider, change: dict[str, str]
) -> None:
    query = {**provider.authorize(site.begin()), **change}
    assert reason(site.end(query)) == (401, "oidc-login-refused")


def test_a_code_for_another_verifier(site: Site, provider: Provider) -> None:
    """A code that was stolen on its way is of no use in another login."""
    stolen = provider.authorize(site.begin())["code"]
    query = {**provider.authorize(site.begin()), "code": stolen}
    assert reason(site.end(query)) == (401, "oidc-login-refused")


def test_the_provider_says_no(site: Site, provider: Provider) -> None:
    state = provider.authorize(site.begin())["state"]
    assert reason(site.end({"state": state, "error": "access_denied"})) == (
        401,
        "oidc-login-refused",
    )


def test_who_takes_too_long_begins_again(site: Site, provider: Provider) -> None:
    query = provider.authorize(site.begin())
    site.ticks[0] += 601
    assert reason(site.end(query)) == (401, "oidc-login-refused")


def test_keys_are_read_again_when_the_provider_changes_them(site: Site, provider: Provider) -> None:
    assert site.login(provider).status_code == 200
    reads = provider.key_reads
    provider.keys = [made_key("two")]
    # Not more often than every half minute, whoever sends tokens.
    assert reason(site.login(provider)) == REFUSED
    assert provider.key_reads == reads
    site.ticks[0] += 31
    assert site.login(provider).status_code == 200
    assert provider.key_reads == reads + 1


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": ""},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 7},
    ],
)
def test_a_description_that_does_not_hold(
    site: Site, provider: Provider, change: dict[str, Any]
) -> None:
    provider.describe = lambda document: {**document, **change}
    answer = site.browser.get("/api/v1/login/oidc", follow_redirects=False)
    assert answer.json()["reason"] == "oidc-provider-invalid"


def test_no_secret_is_in_an_answer(site: Site, provider: Provider) -> None:
    provider.lie = claims(nonce="another")
    answer = site.login(provider)
    for secret in ("access", "code-0", provider.asked["nonce"], provider.asked["state"]):
        assert secret not in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://id.example.net"},
        {"issuer": "https://user@id.example.net"},
        {"issuer": "https://id.example.net/?x=1"},
        {"roles": {}},
        {"roles": {"netops": "root"}},
        {"scopes": ["profile"]},
        {"base_url": "ftp://x"},
    ],
)
def test_settings_that_do_not_fit(change: dict[str, Any]) -> None:
    fit = {
        "issuer": "https://id.example.net",
        "client_id": "bootz",
        "base_url": "https://bootz.example.net",
        "roles": {"netops": "operator"},
    }
    OidcSettings.model_validate(fit)
    with pytest.raises(ValidationError):
        OidcSettings.model_validate({**fit, **change})
