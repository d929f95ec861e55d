"""Reasons of rendering: what the operator wants for a chassis cannot be made into an answer."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "template-failed",
        Fault.CONFIGURATION,
        "A template of a profile or chassis is wrong, or fails for this chassis.",
        "See the named key and line with `bootz chassis render SERIAL`; an undefined variable is "
        "set with `bootz chassis set SERIAL --var KEY=VALUE` or in the profile.",
    ),
    Reason(
        "template-too-costly",
        Fault.CONFIGURATION,
        "A template takes too many steps or its output is too long.",
        "Shorten the loops in the named key; docs/templates.md has the limits.",
    ),
    Reason(
        "rendered-invalid",
        Fault.CONFIGURATION,
        "The output of a template does not have the form that its key needs.",
        "See the output with `bootz chassis render SERIAL`; structured keys are YAML or JSON.",
    ),
    Reason(
        "dynamic-config-refused",
        Fault.PRECONDITION,
        "The router's release has no dynamic configuration, and its chassis forbids merging.",
        "Set `--dynamic-config merge` for the chassis, or upgrade the router.",
    ),
    Reason(
        "image-url-unknown",
        Fault.CONFIGURATION,
        "An image is in the site's image store, but the store has no listening address.",
        "Set `images.http` or `images.base_url` in bootz.yaml.",
    ),
    Reason(
        "sent-nothing",
        Fault.NOT_FOUND,
        "The router was not sent bootstrap data yet.",
        "See what it would get with `bootz chassis render SERIAL`, and its calls with `bootz "
        "attempts SERIAL`.",
    ),
    Reason(
        "sent-not-kept",
        Fault.NOT_FOUND,
        "What the router was sent is larger than is kept: more than 1 MiB compressed.",
        "Compare the SHA-256; see what it would get now with `bootz chassis render SERIAL`.",
    ),
)
