"""Reasons of the sources of truth: pulling, comparing, pushing back, being rung."""

from bootz.reasons.reason import Fault, Reason

ROWS = (
    Reason(
        "source-not-found",
        Fault.NOT_FOUND,
        "No source of truth has this name.",
        "See `bootz source show`; sources are set in bootz.yaml, under `sources`.",
    ),
    Reason(
        "source-unreachable",
        Fault.UNAVAILABLE,
        "The source of truth does not answer: name, connection, TLS, timeout, or an own error.",
        "The inventory stays as it is, and routers are served. Check the URL, ca_file and the "
        "source itself; the next sync tries again.",
    ),
    Reason(
        "source-unauthorized",
        Fault.CONFIGURATION,
        "The source of truth does not accept the token.",
        "Put a valid token into token_file; NetBox tokens of version 2 begin with nbt_.",
    ),
    Reason(
        "source-forbidden",
        Fault.CONFIGURATION,
        "The token's user may not read something that a sync needs.",
        "Give the user the named right; docs/source-of-truth.md#rights lists all of them.",
    ),
    Reason(
        "source-version",
        Fault.CONFIGURATION,
        "The source of truth is too old, or is another product.",
        "Check `kind` and `url`; NetBox 4.2 or later and Nautobot 2.0 or later are supported.",
    ),
    Reason(
        "source-not-json",
        Fault.CONFIGURATION,
        "The answer is not the API's: a page, or a redirect, which is never followed.",
        "Check `url`, and proxies and login pages in between.",
    ),
    Reason(
        "source-unstable",
        Fault.UNAVAILABLE,
        "Devices were added or removed while they were read, again and again.",
        "Try again when fewer changes are made there.",
    ),
    Reason(
        "source-too-big",
        Fault.CONFIGURATION,
        "There are more devices, or longer answers, than a sync takes.",
        "Choose fewer devices under `select`.",
    ),
    Reason(
        "source-filter-ignored",
        Fault.CONFIGURATION,
        "The source returned a device that was not asked for.",
        "Correct the values under `select` (`bootz source check`); nothing was changed.",
    ),
    Reason(
        "source-filter-unknown",
        Fault.CONFIGURATION,
        "The source has no such status, tag, site or other value.",
        "Correct the value under `select`; Nautobot compares names with case.",
    ),
    Reason(
        "source-shrunk",
        Fault.CONFLICT,
        "More devices disappeared at once than max_missing allows, or all of them.",
        "Check the source and the token's rights; `bootz source sync --accept-missing` goes on.",
    ),
    Reason(
        "source-busy-elsewhere",
        Fault.UNAVAILABLE,
        "A sync of this source is running already.",
        "Wait until it has ended.",
    ),
    Reason(
        "source-no-copy",
        Fault.NOT_FOUND,
        "There is no copy of an earlier sync that could be used.",
        "Run `bootz source sync` while the source answers.",
    ),
    Reason(
        "source-refused",
        Fault.CONFIGURATION,
        "Devices of the source have faults, and on_fault is stop: nothing was changed.",
        "Correct the named devices in the source, or set on_fault: hold.",
    ),
    Reason(
        "source-no-serial",
        Fault.CONFIGURATION,
        "The device has no serial number yet; it is waiting, and left out.",
        "Enter the serial number in the source when it is known.",
    ),
    Reason(
        "source-no-name",
        Fault.CONFIGURATION,
        "The device has no name, which is the hostname; it is left out.",
        "Give the device a name in the source.",
    ),
    Reason(
        "source-no-profile",
        Fault.CONFIGURATION,
        "No profile is named for the device, and no rule fits.",
        "Fill the custom field bootz_profile, or add a rule under `profiles`.",
    ),
    Reason(
        "source-profile-unknown",
        Fault.CONFIGURATION,
        "The device names a profile that is not in the inventory.",
        "Correct the name, or add the profile (`bootz profile add`).",
    ),
    Reason(
        "source-vendor-unknown",
        Fault.CONFIGURATION,
        "The device's manufacturer is no vendor in the inventory; a sync never adds one.",
        "Add the vendor with its CA, or the manufacturer's name as an alias of it.",
    ),
    Reason(
        "source-mac-ambiguous",
        Fault.CONFIGURATION,
        "Several management interfaces have a MAC address.",
        "Set mgmt_interface so that it fits one of them.",
    ),
    Reason(
        "source-serial-twice",
        Fault.CONFLICT,
        "Two devices or modules of the source have the same serial number; case does not matter.",
        "Correct one of them in the source.",
    ),
    Reason(
        "source-not-owner",
        Fault.CONFLICT,
        "The chassis is in the inventory already, and does not belong to this source.",
        "Use --adopt for chassis that say the same, or remove or correct the chassis here.",
    ),
    Reason(
        "source-differs",
        Fault.CONFLICT,
        "Someone changed the chassis here; the source says something else.",
        "Keep it, release it (`bootz source release`), or take the source's values with --update.",
    ),
    Reason(
        "source-busy",
        Fault.CONFLICT,
        "The router is being onboarded; the change waits until it has ended.",
        "Nothing to do; a later sync makes the change.",
    ),
    Reason(
        "source-push-conflict",
        Fault.CONFLICT,
        "Someone changed the device in the source at the same time; their change stays.",
        "Nothing to do; the state is written with the next change.",
    ),
    Reason(
        "source-push-dropped",
        Fault.CONFIGURATION,
        "The source took what was written without an error, and did not keep it.",
        "Create the custom fields that `bootz source check` names.",
    ),
    Reason(
        "source-push-refused",
        Fault.CONFIGURATION,
        "The source refused what was to be written back.",
        "Give the token's user the right to change devices; check that the status exists.",
    ),
    Reason(
        "source-hook-bad-signature",
        Fault.UNAUTHENTICATED,
        "A webhook has no signature, or a wrong one.",
        "Set the same secret in the source's webhook and in secret_file.",
    ),
    Reason(
        "source-gone",
        Fault.CONFLICT,
        "The device is no longer in the source.",
        "Nothing is removed. If the chassis is really gone: `bootz chassis remove`.",
    ),
    Reason(
        "source-image-differs",
        Fault.CONFIGURATION,
        "The source names another software version than the profile's image.",
        "Correct the version in the source, or the profile.",
    ),
)
