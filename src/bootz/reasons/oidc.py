"""Reasons of logins by an OpenID Connect provider."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "oidc-not-set",
        Fault.NOT_FOUND,
        "This site has no OpenID Connect provider.",
        "Log in with a password, or set `operator.oidc` (docs/oidc.md).",
    ),
    Reason(
        "oidc-library-missing",
        Fault.CONFIGURATION,
        "Logins by OpenID Connect need a library that is not installed.",
        "Install the extra: `pip install bootz[oidc]`.",
    ),
    Reason(
        "oidc-provider-unreachable",
        Fault.UNAVAILABLE,
        "The OpenID Connect provider does not answer as it should.",
        "Look at the provider and the network to it; `operator.oidc.ca` names CAs of its own.",
    ),
    Reason(
        "oidc-provider-invalid",
        Fault.CONFIGURATION,
        "What the OpenID Connect provider says of itself does not hold.",
        "Compare `operator.oidc.issuer` with the provider's own, letter by letter.",
    ),
    Reason(
        "oidc-login-refused",
        Fault.UNAUTHENTICATED,
        "The login came back from the provider in a way that cannot be accepted.",
        "Begin again. If it happens again, read the provider's log; the error names the field.",
    ),
    Reason(
        "oidc-token-refused",
        Fault.UNAUTHENTICATED,
        "The provider's token is not signed by it, not for this site, not of this login, or old.",
        "Begin again; compare the clocks. If it happens again, ask who else could have sent it.",
    ),
    Reason(
        "oidc-no-role",
        Fault.FORBIDDEN,
        "None of the person's groups has a role on this site.",
        "Put the person in a group that `operator.oidc.roles` names, or add one of theirs there.",
    ),
    Reason(
        "oidc-account-refused",
        Fault.FORBIDDEN,
        "The account is disabled, or its name belongs to an account that is not the provider's.",
        "Enable it (`bootz user set NAME --enable`), or rename or remove the other account.",
    ),
)
