"""Reasons of webhooks: what is wrong with one, and why a delivery did not arrive."""

from bootz.reasons.reason import Fault, Reason

_RETRIED = "It is tried again for a day; `bootz webhook test NAME` tries now."

ROWS = (
    Reason(
        "webhook-invalid",
        Fault.CONFIGURATION,
        "Something given for a webhook does not fit.",
        "Correct the named field; docs/webhooks.md describes each.",
    ),
    Reason(
        "webhook-exists",
        Fault.CONFLICT,
        "There is a webhook of that name already.",
        "Choose another name, or change that one: `bootz webhook set`.",
    ),
    Reason(
        "webhook-not-found",
        Fault.NOT_FOUND,
        "There is no webhook of that name.",
        "List them: `bootz webhook list`.",
    ),
    Reason(
        "webhook-target-refused",
        Fault.FORBIDDEN,
        "The target leads to an address that webhooks may not go to.",
        "If it is meant, add its network to `webhooks.private_targets`; http is for those alone.",
    ),
    Reason(
        "webhook-unreachable",
        Fault.UNAVAILABLE,
        "The receiver cannot be reached, or its certificate does not hold.",
        _RETRIED,
    ),
    Reason(
        "webhook-timeout",
        Fault.UNAVAILABLE,
        "The receiver did not answer in time.",
        _RETRIED,
    ),
    Reason(
        "webhook-redirected",
        Fault.FORBIDDEN,
        "The receiver answered with a redirect, which is never followed.",
        "Give the webhook the receiver's own URL: `bootz webhook set NAME --url URL`.",
    ),
    Reason(
        "webhook-refused",
        Fault.UNAVAILABLE,
        "The receiver answered with a status that is not 2xx.",
        f"Read the receiver's log. {_RETRIED}",
    ),
)
