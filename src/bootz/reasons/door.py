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
        "chassis-incomplete",
        Fault.CONFIGURATION,
        "Something is not on record that most routers need.",
        "Say what is missing: `bootz chassis set SERIAL`; leave it so where it is meant.",
    ),
    Reason(
        "owner-algorithm-odd",
        Fault.CONFIGURATION,
        "Some routers cannot verify what the owner's key signs.",
        "Ask the vendor which keys its routers verify; RSA under sha256WithRSAEncryption works "
        "with all.",
    ),
    Reason(
        "tls-name-missing",
        Fault.CONFIGURATION,
        "The server's TLS certificate does not name an address by which routers are told to come.",
        "Issue another: `bootz keys rotate tls`, or bring one that names it.",
    ),
    Reason(
        "clock-skewed",
        Fault.CONFIGURATION,
        "Two clocks differ so much that certificates and vouchers may not be valid yet, or no "
        "longer.",
        "Let a time service set both clocks.",
    ),
    Reason(
        "ntp-unreachable",
        Fault.UNAVAILABLE,
        "The time server does not answer.",
        "Check its name, and that UDP port 123 is open to it.",
    ),
    Reason(
        "ntp-answer",
        Fault.MALFORMED,
        "The time server's answer cannot be used.",
        "Name another one, whose own clock is set.",
    ),
    Reason(
        "rendered-too-large",
        Fault.TOO_LARGE,
        "What the router would get is longer than a gRPC client takes by default: 4 MiB.",
        "Shorten its configuration, or let it load large parts from a URL.",
    ),
    Reason(
        "image-url-unreachable",
        Fault.UNAVAILABLE,
        "The image's URL is not served, seen from here.",
        "Start `bootz serve`, or correct `images.base_url` or the profile's URL. Where only "
        "routers reach it, check with --no-network.",
    ),
    Reason(
        "dhcp-reservation-missing",
        Fault.NOT_FOUND,
        "The DHCP server has no reservation for the router.",
        "Write it: `bootz dhcp sync kea4` or `kea6`, after giving the chassis an address.",
    ),
    Reason(
        "dhcp-reservation-wrong",
        Fault.CONFLICT,
        "The router's reservation does not tell it what the inventory says.",
        "Correct it: `bootz dhcp sync kea4` or `kea6`; a reservation of another's, by hand.",
    ),
    Reason(
        "door-certificate-due",
        Fault.CONFIGURATION,
        "The TLS certificate of the operator's door is not valid, or ends soon.",
        "Renew it: a running server does, where `bootz keys door` issued it; else replace the "
        "files of `operator.tls`. The door takes them over without a restart.",
    ),
    Reason(
        "dhcp-probe-failed",
        Fault.PRECONDITION,
        "When the link was probed last, a router could not have gone on to its server.",
        "Correct DHCP, then ask again: `bootz dhcp probe --interface IF --serial SERIAL`.",
    ),
    Reason(
        "secret-hidden",
        Fault.CONFIGURATION,
        "A fingerprint of a secret was sent where it does not stand for one on record.",
        "Send the secret itself, or leave the fingerprint where it was shown. An export has "
        "secrets with `secrets=true`.",
    ),
    Reason(
        "upload-not-found",
        Fault.NOT_FOUND,
        "There is no such upload of yours; it was finished, dropped, or left for a day.",
        "Begin another one.",
    ),
    Reason(
        "upload-offset-wrong",
        Fault.CONFLICT,
        "A piece of an upload does not begin where the upload has come to.",
        "Ask how far it has come (GET), and send what follows.",
    ),
    Reason(
        "upload-busy",
        Fault.CONFLICT,
        "Another request is sending a piece of the same upload.",
        "Send one piece at a time.",
    ),
    Reason(
        "uploads-too-many",
        Fault.CONFLICT,
        "As many uploads are under way as the site allows.",
        "Finish or drop one; those that are left end after a day.",
    ),
    Reason(
        "stranger-unproven",
        Fault.PRECONDITION,
        "The caller has not proven its serial number, so nothing on record is changed for it.",
        "Add the vendor's CA and let the router ask again; or correct the record by hand, after a "
        "look at the box.",
    ),
    Reason(
        "stranger-other-vendor",
        Fault.CONFLICT,
        "The caller is a box of another vendor than the planned chassis.",
        "Choose a planned chassis of that vendor.",
    ),
    Reason(
        "stranger-card-needed",
        Fault.CONFIGURATION,
        "The planned chassis is modular: one of its cards is replaced, not the chassis.",
        "Name the card on record that the caller replaces.",
    ),
    Reason(
        "certificates-unpublished",
        Fault.UNAVAILABLE,
        "The database does not have the site's certificates, which the door reads there.",
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
