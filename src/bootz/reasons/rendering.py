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
        "A template takes too many steps or gives too long a text.",
        "Shorten the loops of the named key; the bounds stand in docs/templates.md.",
    ),
    Reason(
        "rendered-invalid",
        Fault.CONFIGURATION,
        "A template worked, and its output is not of the form that its key needs.",
        "See the output with `bootz chassis render SERIAL`; structured keys are YAML or JSON.",
    ),
    Reason(
        "dynamic-config-refused",
        Fault.PRECONDITION,
        "The router's release knows no dynamic configuration, and its chassis says not to merge.",
        "Set `--dynamic-config merge` for the chassis, or upgrade the router.",
    ),
    Reason(
        "image-url-unknown",
        Fault.CONFIGURATION,
        "An image is in the site's own store, and the store listens nowhere.",
        "Set `images.http` or `images.base_url` in bootz.yaml.",
    ),
)
