"""Reasons of the router: addresses, hardware, contact, images, configuration, reports."""

from bootz.reasons.reason import Fault, Reason

_URI_ACTION = (
    "Write the URI as bootz://host[:port][/path], IPv6 in brackets, and hand it out again "
    "(DHCP option 143 or 136, or --uri)."
)

ROWS = (
    Reason(
        "uri-too-long", Fault.MALFORMED, "A bootz URI is longer than 2,048 characters.", _URI_ACTION
    ),
    Reason(
        "uri-not-ascii", Fault.MALFORMED, "A bootz URI has characters outside ASCII.", _URI_ACTION
    ),
    Reason(
        "uri-bad-char",
        Fault.MALFORMED,
        "A bootz URI contains a blank or control character.",
        _URI_ACTION,
    ),
    Reason("uri-wrong-scheme", Fault.MALFORMED, "A URI does not begin with bootz://.", _URI_ACTION),
    Reason("uri-userinfo", Fault.MALFORMED, "A bootz URI contains user information.", _URI_ACTION),
    Reason("uri-fragment", Fault.MALFORMED, "A bootz URI has a fragment.", _URI_ACTION),
    Reason(
        "uri-bad-host",
        Fault.MALFORMED,
        "The host in a bootz URI is missing or invalid.",
        _URI_ACTION,
    ),
    Reason(
        "uri-bad-port",
        Fault.MALFORMED,
        "The port in a bootz URI is missing or not between 1 and 65535.",
        _URI_ACTION,
    ),
    Reason(
        "hardware-missing",
        Fault.NOT_FOUND,
        "There is no emulated router in the folder.",
        "Create one with `bootz router manufacture DIR`, or give another folder.",
    ),
    Reason(
        "hardware-damaged",
        Fault.CONFIGURATION,
        "A file in the router's hardware folder is damaged.",
        "Correct the named file, or create the router again in an empty folder.",
    ),
    Reason(
        "hardware-identity",
        Fault.CONFIGURATION,
        "The router's identity key and certificate cannot be used together.",
        "Give the certificate and key of one identity to `bootz router manufacture`.",
    ),
    Reason(
        "hardware-identity-sealed",
        Fault.CONFIGURATION,
        "The identity's key is in a TPM, and Python's TLS can only use key files.",
        "Use a stream, which needs no certificate in TLS: `--flow stream-v1`.",
    ),
    Reason(
        "hardware-busy",
        Fault.CONFLICT,
        "Another process is running this router.",
        "Wait until it ends, or stop it.",
    ),
    Reason(
        "slot-fixed",
        Fault.CONFIGURATION,
        "A router of fixed form has no slots.",
        "Create one with slots: `bootz router manufacture DIR --modular`.",
    ),
    Reason(
        "slot-unknown",
        Fault.CONFIGURATION,
        "The chassis has no slot of that name.",
        "Use a slot that `bootz router show DIR` lists.",
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
        "Use a slot with a card; `bootz router show DIR` lists them.",
    ),
    Reason(
        "card-active",
        Fault.CONFLICT,
        "The card is the active route processor, on which the router is running.",
        "Use another slot; the active route processor cannot be removed or switched off.",
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
        "There is no card in the folder.",
        "Create one with `bootz router card DIR`, or give the folder of a removed card.",
    ),
    Reason(
        "card-tampered",
        Fault.UNAUTHENTICATED,
        "A card is not what it claims to be: its key, identity and serial number do not match.",
        "Remove the card and find out where it came from; it stays shut down.",
    ),
    Reason(
        "card-serial-twice",
        Fault.UNAUTHENTICATED,
        "Two cards of one chassis show the same serial number.",
        "Remove the wrong one, then switch the other off and on.",
    ),
    Reason(
        "card-not-answered",
        Fault.PRECONDITION,
        "The bootstrap server has no data for a card.",
        "Add the card: `bootz chassis replacements list`, then `accept` it.",
    ),
    Reason(
        "cards-not-secure",
        Fault.PRECONDITION,
        "Later cards are not onboarded: secure mode is not enabled.",
        "Enable it at the router's console: `ztp secure-mode enable`.",
    ),
    Reason(
        "cards-in-progress",
        Fault.PRECONDITION,
        "Later cards have to wait: a Bootz process is running.",
        "Nothing: the cards are onboarded when it has finished.",
    ),
    Reason(
        "cards-no-server",
        Fault.PRECONDITION,
        "Later cards cannot be onboarded: the router has no stored server data.",
        "Have the server add the line (`ztp_server_line: on`), or type it at the console: "
        "`ztp bootz-server ip ADDRESS port PORT trust-anchor FILE`, then commit.",
    ),
    Reason(
        "server-data-anchor",
        Fault.CONFIGURATION,
        "The trust anchor of the stored server data cannot be read.",
        "Store the server's trust anchor (PEM) at the named path on the router's disk.",
    ),
    Reason(
        "orders-full",
        Fault.CONFLICT,
        "Too many orders are waiting for the router.",
        "Power the router on, so that it executes them.",
    ),
    Reason(
        "boot-no-source",
        Fault.CONFIGURATION,
        "The router does not know any bootstrap server.",
        "Boot it with --uri or --dhcp-interface, or type `bootz no-dhcp initiate` at its console.",
    ),
    Reason(
        "console-command",
        Fault.CONFIGURATION,
        "The console does not know the command.",
        "Type `help` at the console to list the commands of the present mode.",
    ),
    Reason(
        "console-unanswered",
        Fault.CONFIGURATION,
        "A script at the console ended with a question that it did not answer.",
        "Add the answer as its next line, or `noprompt` behind a command that takes it.",
    ),
    Reason(
        "hardware-tam-missing",
        Fault.PRECONDITION,
        "The hardware has no trust anchor module (TAM), so Bootz does not start.",
        "Use hardware with a TAM; for an emulated router: `bootz router manufacture` without "
        "`--no-hardware-tam`.",
    ),
    Reason(
        "ztp-not-secure",
        Fault.PRECONDITION,
        "Bootz cannot be started while secure mode is disabled.",
        "Type `ztp secure-mode enable` first.",
    ),
    Reason(
        "ztp-none",
        Fault.PRECONDITION,
        "No Bootz process is running that could be stopped.",
        "See where Bootz stands with `show ztp`.",
    ),
    Reason(
        "no-dhcp-running",
        Fault.CONFLICT,
        "The loop without DHCP is already running.",
        "End it first: `bootz no-dhcp terminate` or `bootz no-dhcp reset`.",
    ),
    Reason(
        "no-dhcp-none",
        Fault.CONFLICT,
        "The loop without DHCP is not running.",
        "Start it: `bootz no-dhcp initiate --src_interface IF --bootz_uri URI`.",
    ),
    Reason(
        "contact-unreachable",
        Fault.UNAVAILABLE,
        "The router cannot connect to the bootstrap server.",
        "Check the URI, the route to it, and that `bootz serve` listens on that address.",
    ),
    Reason(
        "contact-refused",
        Fault.PRECONDITION,
        "The bootstrap server answered with an error.",
        "Look up status and reason on the server: `bootz attempts SERIAL`.",
    ),
    Reason(
        "contact-deadline",
        Fault.DEADLINE,
        "The bootstrap server did not answer in time.",
        "Check the server's load and the network; the router tries again.",
    ),
    Reason(
        "contact-broken",
        Fault.UNAVAILABLE,
        "The connection to the bootstrap server broke before the answer was complete.",
        "If it happens every time, read the server's log: TLS may refuse the router's IDevID.",
    ),
    Reason(
        "contact-answer-too-large",
        Fault.TOO_LARGE,
        "The bootstrap server's answer is larger than a router accepts.",
        "Make the configuration or the voucher bundle smaller; the limit is 4 MiB per answer.",
    ),
    Reason(
        "contact-server-untrusted",
        Fault.UNAUTHENTICATED,
        "The server's TLS certificate does not verify against the trust anchor of the verified "
        "answer.",
        "Check that the server's TLS certificate chains to the site's trust anchor and names "
        "the address in the URI; if both are right, the connection is being intercepted.",
    ),
    Reason(
        "data-card-missing",
        Fault.MALFORMED,
        "A verified answer has no data for a card that requested it.",
        "Check on the server which cards it answered: `bootz attempts SERIAL`.",
    ),
    Reason(
        "data-card-repeated",
        Fault.MALFORMED,
        "A verified answer has data for one card twice.",
        "Correct the server's inventory; a card has one set of data.",
    ),
    Reason(
        "ov-bundle-ambiguous",
        Fault.MALFORMED,
        "A bundle has vouchers for one card that name different owners.",
        "Keep only the voucher of the current owner on the server.",
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
        "The image server cannot be reached, or returns an error.",
        "Check the image's URL and that the image store listens on that address.",
    ),
    Reason(
        "os-image-cut",
        Fault.UNAVAILABLE,
        "The image server ended the download too early, on every attempt.",
        "Check the image server's log and the length that it states.",
    ),
    Reason(
        "os-image-stalled",
        Fault.DEADLINE,
        "The image server stopped sending.",
        "Check the image server and the network; the part received so far is kept.",
    ),
    Reason(
        "os-image-length",
        Fault.MALFORMED,
        "The image is not as long as the image server stated.",
        "Add the image to the store again, so that size and digest match the file.",
    ),
    Reason(
        "os-image-too-large",
        Fault.TOO_LARGE,
        "The image does not fit on the router's disk.",
        "Use a smaller image, or give the router a larger disk.",
    ),
    Reason(
        "os-image-hash",
        Fault.MALFORMED,
        "The image's SHA-256 differs from the one in the bootstrapping data.",
        "Compare the recorded digest with the file; add the image again.",
    ),
    Reason(
        "os-image-hash-form",
        Fault.MALFORMED,
        "The router does not know the image's hash algorithm, or the hash is malformed.",
        "Use SHA-256, as 64 hex digits with or without colons.",
    ),
    Reason(
        "os-image-not-an-image",
        Fault.MALFORMED,
        "The file is not a software image.",
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
        "The vendor configuration is not valid text.",
        "Render it (`bootz chassis render`) and correct the named line.",
    ),
    Reason(
        "config-ztp-server",
        Fault.MALFORMED,
        "The stored server data are malformed: the `ztp bootz-server` line, or its YANG data.",
        "Write `ztp bootz-server ip ADDRESS port PORT trust-anchor /misc/disk1/ta.cert`, or the "
        "container `bootz-server` as docs/modular.md shows it.",
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
        "The script in the boot configuration's metadata does not begin with #!.",
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
        "A certz profile is invalid.",
        "Correct the named profile: its name, its certificates, its authentication policy.",
    ),
    Reason(
        "config-authz",
        Fault.MALFORMED,
        "The authz policy is invalid.",
        "Write a gRPC authorization policy: JSON with a name and allow_rules.",
    ),
    Reason(
        "config-pathz",
        Fault.MALFORMED,
        "The pathz policy is invalid.",
        "Give each rule an id, a user or a listed group, an action and a mode.",
    ),
    Reason(
        "config-credentials",
        Fault.MALFORMED,
        "The credentials are invalid.",
        "Give each entry the account that it is for.",
    ),
    Reason(
        "report-undelivered",
        Fault.UNAVAILABLE,
        "The router is configured, but its last report did not reach the server.",
        "Bring the server back and boot the router again: it only sends the report.",
    ),
    Reason(
        "manufacturer-missing",
        Fault.NOT_FOUND,
        "There is no manufacturer in the folder.",
        "Create one with `bootz manufacturer init DIR`, or give another folder.",
    ),
    Reason(
        "manufacturer-damaged",
        Fault.CONFIGURATION,
        "A file in the manufacturer's folder is damaged.",
        "Restore the named file from a backup.",
    ),
    Reason(
        "manufacturer-argument",
        Fault.CONFIGURATION,
        "The manufacturer cannot issue what was requested.",
        "Correct the named argument.",
    ),
)
