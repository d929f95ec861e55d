"""Reasons of the router: addresses, hardware, contact, images, configuration, reports."""

from bootz.reasons.reason import Fault, Reason

_URI_ACTION = (
    "Write the URI as bootz://host[:port][/path], IPv6 in brackets, and hand it out again "
    "(DHCP option 143 or 136, or --uri)."
)

ROWS = (
    Reason("uri-too-long", Fault.MALFORMED, "A bootz URI is over 2,048 characters.", _URI_ACTION),
    Reason("uri-not-ascii", Fault.MALFORMED, "A bootz URI is not ASCII.", _URI_ACTION),
    Reason("uri-bad-char", Fault.MALFORMED, "A bootz URI has a blank inside.", _URI_ACTION),
    Reason("uri-wrong-scheme", Fault.MALFORMED, "A URI is not a bootz URI.", _URI_ACTION),
    Reason("uri-userinfo", Fault.MALFORMED, "A bootz URI names a user.", _URI_ACTION),
    Reason("uri-fragment", Fault.MALFORMED, "A bootz URI has a fragment.", _URI_ACTION),
    Reason("uri-bad-host", Fault.MALFORMED, "The host of a bootz URI is none.", _URI_ACTION),
    Reason("uri-bad-port", Fault.MALFORMED, "The port of a bootz URI is none.", _URI_ACTION),
    Reason(
        "hardware-missing",
        Fault.NOT_FOUND,
        "The folder holds no router.",
        "Make one with `bootz router manufacture DIR`, or name another folder.",
    ),
    Reason(
        "hardware-damaged",
        Fault.CONFIGURATION,
        "A file of the router's hardware folder is not of its form.",
        "Correct the named file, or manufacture the router again in an empty folder.",
    ),
    Reason(
        "hardware-identity",
        Fault.CONFIGURATION,
        "The router's identity key and certificate cannot be used together.",
        "Give the certificate and key of one identity to `bootz router manufacture`.",
    ),
    Reason(
        "hardware-busy",
        Fault.CONFLICT,
        "Another process is running this router.",
        "Wait until it has ended, or stop it.",
    ),
    Reason(
        "slot-fixed",
        Fault.CONFIGURATION,
        "A router of fixed form has no slots.",
        "Manufacture one with slots: `bootz router manufacture DIR --modular`.",
    ),
    Reason(
        "slot-unknown",
        Fault.CONFIGURATION,
        "The chassis has no slot of that name.",
        "Name a slot that `bootz router show DIR` lists.",
    ),
    Reason(
        "slot-taken",
        Fault.CONFLICT,
        "There is a card in the slot.",
        "Pull it first (`bootz router pull`), or exchange it (`bootz router replace`).",
    ),
    Reason(
        "slot-empty",
        Fault.CONFLICT,
        "There is no card in the slot.",
        "Name a slot that has one; `bootz router show DIR` lists them.",
    ),
    Reason(
        "card-active",
        Fault.CONFLICT,
        "The card is the active route processor, and the router runs on it.",
        "Name another slot; the active route processor cannot be pulled or switched off.",
    ),
    Reason(
        "card-misfit",
        Fault.CONFIGURATION,
        "A card of that kind does not fit into the slot.",
        "Put route processors into RP slots and line cards into LC slots.",
    ),
    Reason(
        "card-missing",
        Fault.NOT_FOUND,
        "The folder holds no card.",
        "Make one with `bootz router card DIR`, or name the folder of a card that was pulled.",
    ),
    Reason(
        "card-tampered",
        Fault.UNAUTHENTICATED,
        "A card is not what it says it is: its key, identity and serial number do not agree.",
        "Take the card out and look into where it came from; it stays shut down.",
    ),
    Reason(
        "card-serial-twice",
        Fault.UNAUTHENTICATED,
        "Two cards of one chassis show the same serial number.",
        "Take the false one out, then switch the other off and on.",
    ),
    Reason(
        "card-not-answered",
        Fault.PRECONDITION,
        "The bootstrap server has no data for a card.",
        "Put the card on record: `bootz chassis replacements list`, then accept it.",
    ),
    Reason(
        "cards-not-secure",
        Fault.PRECONDITION,
        "Cards that come later are not looked at: secure mode is not enabled.",
        "Enable it at the router's console: `ztp secure-mode enable`.",
    ),
    Reason(
        "cards-in-progress",
        Fault.PRECONDITION,
        "Cards that come later wait: a Bootz process is in progress.",
        "Nothing: the process for the cards starts when it is done.",
    ),
    Reason(
        "cards-no-server",
        Fault.PRECONDITION,
        "Cards that come later cannot be asked about: the router has no stored server data.",
        "Have the server add the line (`ztp_server_line: on`), or type it at the console: "
        "`ztp bootz-server ip ADDRESS port PORT trust-anchor FILE`, then commit.",
    ),
    Reason(
        "server-data-anchor",
        Fault.CONFIGURATION,
        "The trust anchor of the stored server data cannot be read.",
        "Put the server's trust anchor (PEM) at the named place of the router's disk.",
    ),
    Reason(
        "orders-full",
        Fault.CONFLICT,
        "More orders wait for the router than it keeps.",
        "Power the router on, so that it carries them out.",
    ),
    Reason(
        "contact-unreachable",
        Fault.UNAVAILABLE,
        "No connection to the bootstrap server comes about.",
        "Check the URI, the route to it, and that `bootz serve` listens on that address.",
    ),
    Reason(
        "contact-refused",
        Fault.PRECONDITION,
        "The bootstrap server answered with an error.",
        "Look the status and reason up at the server: `bootz attempts SERIAL`.",
    ),
    Reason(
        "contact-deadline",
        Fault.DEADLINE,
        "The bootstrap server did not answer in time.",
        "Look at the server's load and at the network between; the router tries again.",
    ),
    Reason(
        "contact-broken",
        Fault.UNAVAILABLE,
        "The connection to the bootstrap server broke before the answer was complete.",
        "If it happens each time, look at the server's log: TLS may refuse the router's IDevID.",
    ),
    Reason(
        "contact-answer-too-large",
        Fault.TOO_LARGE,
        "The bootstrap server's answer is larger than a router accepts.",
        "Make configuration or bundle smaller; the bound is 4 MiB for one answer.",
    ),
    Reason(
        "contact-server-untrusted",
        Fault.UNAUTHENTICATED,
        "The server is not the one that the verified answer's trust anchor vouches for.",
        "Check that the server's TLS certificate chains to the site's trust anchor and names "
        "the address in the URI; if it does, somebody stands in between.",
    ),
    Reason(
        "data-card-missing",
        Fault.MALFORMED,
        "A verified answer holds no data for a card that asked.",
        "Check at the server which cards it answered: `bootz attempts SERIAL`.",
    ),
    Reason(
        "data-card-repeated",
        Fault.MALFORMED,
        "A verified answer holds data twice for one card.",
        "Correct the server's inventory; a card has one set of data.",
    ),
    Reason(
        "ov-bundle-ambiguous",
        Fault.MALFORMED,
        "A bundle holds vouchers for one card that name different owners.",
        "Keep only the voucher of the present owner in the server's store.",
    ),
    Reason(
        "os-image-url",
        Fault.MALFORMED,
        "The image's URL is not one that the router can fetch.",
        "Give the image an http:// or https:// URL.",
    ),
    Reason(
        "os-image-not-found",
        Fault.NOT_FOUND,
        "The image server does not have the image.",
        "Add the image to the store (`bootz image add`), or correct its URL.",
    ),
    Reason(
        "os-image-unreachable",
        Fault.UNAVAILABLE,
        "The image server cannot be reached, or refuses.",
        "Check the image's URL and that the image store listens on that address.",
    ),
    Reason(
        "os-image-cut",
        Fault.UNAVAILABLE,
        "The image server ended the download too early, on every try.",
        "Look at the image server's log and at its stated length.",
    ),
    Reason(
        "os-image-stalled",
        Fault.DEADLINE,
        "The image server stopped sending.",
        "Look at the image server and the network between; the part received is kept.",
    ),
    Reason(
        "os-image-length",
        Fault.MALFORMED,
        "The image is not as long as the image server stated.",
        "Add the image to the store again, so that size and digest are those of the file.",
    ),
    Reason(
        "os-image-too-large",
        Fault.TOO_LARGE,
        "The image does not fit on the router's disk.",
        "Name a smaller image, or give the router more disk.",
    ),
    Reason(
        "os-image-hash",
        Fault.MALFORMED,
        "The image's SHA-256 is not the one in the bootstrapping data.",
        "Compare the digest on record with the file; add the image again.",
    ),
    Reason(
        "os-image-hash-form",
        Fault.MALFORMED,
        "The image's hash or its algorithm is not one that the router knows.",
        "Use SHA-256, as 64 hex digits with or without colons.",
    ),
    Reason(
        "os-image-not-an-image",
        Fault.MALFORMED,
        "The file is no software image.",
        "Add the right file to the image store.",
    ),
    Reason(
        "config-missing",
        Fault.MALFORMED,
        "The bootstrapping data has no boot configuration.",
        "Give the chassis a profile with a boot configuration (`bootz profile`); an empty one "
        "is valid.",
    ),
    Reason(
        "config-vendor",
        Fault.MALFORMED,
        "The vendor configuration is not text that a router reads.",
        "Render it (`bootz chassis render`) and correct the named line.",
    ),
    Reason(
        "config-ztp-server",
        Fault.MALFORMED,
        "The line of the stored server data is not of its form.",
        "Write `ztp bootz-server ip ADDRESS port PORT trust-anchor /misc/disk1/ta.cert`.",
    ),
    Reason(
        "config-openconfig",
        Fault.MALFORMED,
        "The OpenConfig configuration is not valid JSON, or contradicts itself.",
        "Render it (`bootz chassis render`) and correct the named place.",
    ),
    Reason(
        "config-script",
        Fault.MALFORMED,
        "The script in the boot configuration's metadata is not one.",
        "Begin the text under `pre-configuration-script` with #! and an interpreter.",
    ),
    Reason(
        "config-password",
        Fault.MALFORMED,
        "The boot password hash is not a printable line.",
        "Put a crypt(5) hash into the profile.",
    ),
    Reason(
        "config-certz",
        Fault.MALFORMED,
        "A certz profile is broken.",
        "Correct the named profile: its name, its certificates, its authentication policy.",
    ),
    Reason(
        "config-authz",
        Fault.MALFORMED,
        "The authz policy is broken.",
        "Write a gRPC authorization policy: JSON with a name and allow_rules.",
    ),
    Reason(
        "config-pathz",
        Fault.MALFORMED,
        "The pathz policy is broken.",
        "Give each rule an id, a user or a listed group, an action and a mode.",
    ),
    Reason(
        "config-credentials",
        Fault.MALFORMED,
        "The credentials are broken.",
        "Give each entry the account that it is for.",
    ),
    Reason(
        "report-undelivered",
        Fault.UNAVAILABLE,
        "The router is configured, and its last report has not reached the server.",
        "Bring the server back and boot the router again: only the report is left to do.",
    ),
    Reason(
        "manufacturer-missing",
        Fault.NOT_FOUND,
        "The folder holds no manufacturer.",
        "Make one with `bootz manufacturer init DIR`, or name another folder.",
    ),
    Reason(
        "manufacturer-damaged",
        Fault.CONFIGURATION,
        "A file of the manufacturer's folder is not of its form.",
        "Restore the named file from a backup.",
    ),
    Reason(
        "manufacturer-argument",
        Fault.CONFIGURATION,
        "The manufacturer cannot issue what was asked for.",
        "Correct the named argument.",
    ),
)
