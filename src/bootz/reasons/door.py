"""Reasons of the operator's door: logins, tokens, and requests of its API."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "account-invalid",
        Fault.CONFIGURATION,
        "Something given for an account does not fit.",
        "Correct the named field.",
    ),
    Reason(
        "account-exists",
        Fault.CONFLICT,
        "There is an account of that name already.",
        "Choose another name, or change that account: `bootz user set`.",
    ),
    Reason(
        "account-not-found",
        Fault.NOT_FOUND,
        "There is no account of that name.",
        "List the accounts: `bootz user list`.",
    ),
    Reason(
        "account-last-admin",
        Fault.PRECONDITION,
        "Without this account no enabled admin is left to manage the others.",
        "Make another admin first: `bootz user add NAME --role admin`.",
    ),
    Reason(
        "password-weak",
        Fault.CONFIGURATION,
        "The password is too easy to guess.",
        "Choose a longer one; several words are fine.",
    ),
    Reason(
        "token-invalid",
        Fault.CONFIGURATION,
        "Something given for a token does not fit.",
        "Correct the named field.",
    ),
    Reason(
        "token-not-found",
        Fault.NOT_FOUND,
        "There is no token with that id.",
        "List the tokens: `bootz token list`.",
    ),
    Reason(
        "login-needed",
        Fault.UNAUTHENTICATED,
        "The request has no token and no session that holds.",
        "Send `Authorization: Bearer TOKEN` (`bootz token add`), or log in again.",
    ),
    Reason(
        "login-refused",
        Fault.UNAUTHENTICATED,
        "Name, password or link is wrong, or the account is disabled.",
        "Try again; an admin makes a new link with `bootz user link NAME`.",
    ),
    Reason(
        "login-throttled",
        Fault.UNAVAILABLE,
        "Too many logins were refused for this account or from this address.",
        "Wait as long as Retry-After says.",
    ),
    Reason(
        "role-insufficient",
        Fault.FORBIDDEN,
        "The role of this user or token does not allow that.",
        "Ask an admin for the role that the error names as expected.",
    ),
    Reason(
        "scope-exceeded",
        Fault.FORBIDDEN,
        "The token is limited to chassis with certain labels, and this is not one of them.",
        "Use a token without a scope, or one whose labels the chassis has.",
    ),
    Reason(
        "csrf-refused",
        Fault.FORBIDDEN,
        "A change with a session's cookie came without the proof that a page of this site sent it.",
        "Reload the page and try again. Programs use tokens.",
    ),
    Reason(
        "certificates-unpublished",
        Fault.UNAVAILABLE,
        "The database does not have the site's certificates, which the operator's door reads there.",
        "Start `bootz serve` once: it writes them; or run `bootz keys publish` where keys/ is.",
    ),
    Reason(
        "request-invalid",
        Fault.MALFORMED,
        "The request does not have the form that the API describes.",
        "Correct each field that `errors` names; /api/v1/openapi.json describes the form.",
    ),
    Reason(
        "request-too-large",
        Fault.TOO_LARGE,
        "The body of the request is longer than the API takes.",
        "Send it in parts.",
    ),
    Reason(
        "requests-too-many",
        Fault.UNAVAILABLE,
        "This token or user has too many requests under way at once.",
        "Wait for answers before sending more.",
    ),
    Reason(
        "route-not-found",
        Fault.NOT_FOUND,
        "The API has no such path.",
        "/api/v1/openapi.json lists all paths.",
    ),
    Reason(
        "method-not-allowed",
        Fault.UNIMPLEMENTED,
        "The path does not take this method.",
        "The header Allow names those it takes.",
    ),
    Reason(
        "etag-stale",
        Fault.PRECONDITION,
        "The object has changed since it was read.",
        "Read it again, apply the change to what it is now, and send the new ETag in If-Match.",
    ),
    Reason(
        "idempotency-key-reused",
        Fault.CONFLICT,
        "The Idempotency-Key was used before with another request.",
        "Use a new key for each new request, and the same key only to repeat one.",
    ),
    Reason(
        "object-not-found",
        Fault.NOT_FOUND,
        "There is no such object.",
        "List the objects of that kind; it may have been removed.",
    ),
)
