"""The models of the API; written by tools/write_client.py, never by hand."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue


class ApiModel(BaseModel):
    """What all of them have: what a newer server adds is kept, not refused."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)


class AcceptBody(ApiModel):
    """How a waiting card is put on record."""

    beside: bool = False
    """Keep the card that is on record in the slot."""
    kind: CardKind | None = None
    """Default: that of the card it replaces."""
    vendor: str | None = None


class Accepted(ApiModel):
    """The chassis whose card was accepted."""

    cards: list[str]
    chassis: str


class Action(StrEnum):
    """What an import does with an entry."""

    ADD = "add"
    UPDATE = "update"
    SAME = "same"


class AddToken(ApiModel):
    """A token to make."""

    expires_at: AwareDatetime | None = None
    name: str
    role: OperatorRole
    scope: dict[str, str] = Field(default_factory=dict)


class AddUser(ApiModel):
    """An account to make."""

    name: str
    password: str | None = None
    role: OperatorRole


class AddWebhook(ApiModel):
    """A webhook to make."""

    events: list[str] | None = None
    """Types of events; none: all of them."""
    labels: dict[str, str] | None = None
    """Labels that a chassis must have."""
    name: str
    secret: str | None = None
    """The receiver's: whsec_ and base64. Default: a new one."""
    url: str


class Added(ApiModel):
    """The chassis that were added, in the order in which they were given."""

    added: list[AddedChassis]


class AddedChassis(ApiModel):
    """A chassis that was added."""

    id: int
    name: str
    """Its serial number, or that of its first card."""


class AttemptDetail(ApiModel):
    """An attempt with its checks, what was sent, and its events."""

    chassis: str
    """Host name or serial number; empty for a stranger."""
    checks: list[CheckView]
    claimed_manufacturer: str
    claimed_serial: str
    detail: str
    dialect: str
    """Of the path that was called."""
    downloads: int
    events: list[EventView]
    id: int
    idevid_sha256: str
    image_bytes: int
    meaning: str
    """What the reason means."""
    next_action: str
    """What a person does next."""
    number: int
    """Counts the attempts of the chassis; 0 for a stranger."""
    peer: str
    proven_serial: str
    reason: str
    repeats: int
    reports: int
    sent: dict[str, JsonValue]
    started_at: AwareDatetime
    state: AttemptState
    updated_at: AwareDatetime
    vendor: str
    written: str
    """The dialect of the answer; empty where there was none."""


class AttemptState(StrEnum):
    """How far an attempt has come; the latest word counts."""

    REFUSED = "refused"
    ANSWERED = "answered"
    INSTALLING = "installing"
    SUCCESS = "success"
    FAILURE = "failure"


class AttemptView(ApiModel):
    """An attempt, from the first request to the last report."""

    chassis: str
    """Host name or serial number; empty for a stranger."""
    claimed_manufacturer: str
    claimed_serial: str
    detail: str
    dialect: str
    """Of the path that was called."""
    downloads: int
    id: int
    idevid_sha256: str
    image_bytes: int
    meaning: str
    """What the reason means."""
    next_action: str
    """What a person does next."""
    number: int
    """Counts the attempts of the chassis; 0 for a stranger."""
    peer: str
    proven_serial: str
    reason: str
    repeats: int
    reports: int
    started_at: AwareDatetime
    state: AttemptState
    updated_at: AwareDatetime
    vendor: str
    written: str
    """The dialect of the answer; empty where there was none."""


class AuditEntryView(ApiModel):
    """One entry; secrets are fingerprints."""

    actor: str
    after: dict[str, Any]
    at: AwareDatetime
    before: dict[str, Any]
    digest: str
    id: int
    object: str
    origin: str
    outcome: str
    previous: str
    verb: str


class AuditVerdictView(ApiModel):
    """Whether the chain of digests holds."""

    broken: int | None
    """The first entry that does not hold."""
    detail: str
    entries: int
    """How many entries hold, from the first on."""
    head: str
    """The digest to keep elsewhere."""


class BootMode(StrEnum):
    """Whether a chassis checks ownership (Bootz ``BootMode``)."""

    SECURE = "secure"
    INSECURE = "insecure"


class CardKind(StrEnum):
    """What a card is for; both kinds carry an identity of their own."""

    CONTROL = "control"
    LINE = "line"


class Changed(ApiModel):
    """Which chassis changed, by serial number; those that were so already are left out."""

    changed: list[str]


class ChassisBody(ApiModel):
    """A chassis as it is given. Keys that are left out have their default."""

    boot_mode: BootMode = BootMode("secure")
    cards: list[dict[str, JsonValue]] = Field(default_factory=list)
    dhcp: dict[str, JsonValue] = Field(default_factory=dict)
    dynamic_config: str = "merge"
    hostname: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    modular: bool = False
    overrides: dict[str, JsonValue] = Field(default_factory=dict)
    part_number: str = ""
    profile: str | None = None
    release: str | None = None
    """The protocol's release; null: the profile's."""
    serial_number: str = ""
    """Empty for some modular chassis."""
    skip_idevid_serial_check: bool = False
    streaming: bool = True
    variables: dict[str, JsonValue] = Field(default_factory=dict)
    vendor: str
    voucher_delivery: str = "single"


class ChassisKeys(ApiModel):
    """Which chassis are meant, by id."""

    ids: list[int]


class ChassisPatch(ApiModel):
    """The same changes for many chassis: keys of a chassis, each with its new value."""

    changes: dict[str, JsonValue]
    """Keys as of a chassis; null sets the default. Objects (variables, labels) are merged key by key, and null removes a key."""
    ids: list[int]


class ChassisState(StrEnum):
    """How far a chassis has come, in the order in which a person wants to see them."""

    FAILED = "failed"
    STUCK = "stuck"
    ON_HOLD = "on-hold"
    APPLYING = "applying"
    IMAGE = "image"
    SENT = "sent"
    PROVED = "proved"
    CONNECTED = "connected"
    EXPECTED = "expected"
    READY = "ready"


class ChassisView(ApiModel):
    """A chassis on record, and where it stands."""

    boot_mode: BootMode = BootMode("secure")
    cards: list[dict[str, JsonValue]] = Field(default_factory=list)
    dhcp: dict[str, JsonValue] = Field(default_factory=dict)
    dynamic_config: str = "merge"
    hostname: str = ""
    id: int
    labels: dict[str, str] = Field(default_factory=dict)
    modular: bool = False
    overrides: dict[str, JsonValue] = Field(default_factory=dict)
    part_number: str = ""
    profile: str | None = None
    release: str | None = None
    """The protocol's release; null: the profile's."""
    serial_number: str = ""
    """Empty for some modular chassis."""
    skip_idevid_serial_check: bool = False
    standing: StandingView
    streaming: bool = True
    variables: dict[str, JsonValue] = Field(default_factory=dict)
    vendor: str
    voucher_delivery: str = "single"


class CheckView(ApiModel):
    """One check of the security chain, with its evidence."""

    check: str
    expected: str
    outcome: Outcome
    seen: str


class ClaimBody(ApiModel):
    """Which planned chassis a stranger is."""

    card: str = ""
    """Of a modular chassis: the card on record it replaces."""
    chassis: int
    """The chassis's id."""


class ClaimedView(ApiModel):
    """What was on record, and what is now."""

    chassis: int
    expected: str
    """The serial number that was planned."""
    name: str
    next_action: str
    seen: str
    """The one that the stranger has proven."""


class CursorPageAttemptView(ApiModel):
    """See openapi.json."""

    next: str | None
    """The next page's path, null at the end."""
    results: list[AttemptView]


class CursorPageAuditEntryView(ApiModel):
    """See openapi.json."""

    next: str | None
    """The next page's path, null at the end."""
    results: list[AuditEntryView]


class CursorPageDeliveryView(ApiModel):
    """See openapi.json."""

    next: str | None
    """The next page's path, null at the end."""
    results: list[DeliveryView]


class CursorPageJournalEvent(ApiModel):
    """See openapi.json."""

    next: str | None
    """The next page's path, null at the end."""
    results: list[JournalEvent]


class CursorPageStrangerView(ApiModel):
    """See openapi.json."""

    next: str | None
    """The next page's path, null at the end."""
    results: list[StrangerView]


class DeliveryView(ApiModel):
    """What has not arrived."""

    error: str
    event_id: int
    id: int
    next_at: AwareDatetime
    since: AwareDatetime
    state: Literal["waiting", "dead"]
    tries: int
    type: str


class DialectName(StrEnum):
    """The release lines of the interface, oldest first."""

    V0_1_0 = "v0.1.0"
    RELEASE_2023_11 = "2023-11"
    V0_3 = "v0.3"
    CURRENT = "current"


class ErrorItem(ApiModel):
    """One thing that is wrong."""

    detail: str
    """What is wrong."""
    expected: str = ""
    """What would have passed."""
    reason: str
    """A code of `bootz reasons`."""
    seen: str = ""
    """What was there; never a secret."""
    where: str
    """The place: a field, a row of a file, a serial number."""


class EventKind(StrEnum):
    """What happened."""

    REFUSED = "refused"
    ANSWERED = "answered"
    REPORT = "report"
    DOWNLOAD = "download"


class EventView(ApiModel):
    """One thing that happened in an attempt."""

    at: AwareDatetime
    data: dict[str, JsonValue]
    id: int
    kind: EventKind


class FetchState(StrEnum):
    """How far a request is."""

    ASKED = "asked"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class FileForm(StrEnum):
    """The forms of a file; the reference's configuration is another thing (``reference``)."""

    YAML = "yaml"
    JSON = "json"
    CSV = "csv"


class HoldBody(ApiModel):
    """Chassis that are put on hold, and why."""

    ids: list[int]
    note: str = ""


class IgnoreBody(ApiModel):
    """Why a stranger is ignored."""

    note: str = ""


class IgnoredView(ApiModel):
    """The serial number that is, or is no longer, left out of lists."""

    ignored: bool
    serial_number: str


class ImageKind(StrEnum):
    """What a file is for a router."""

    IMAGE = "image"
    SMU = "smu"
    PATCH = "patch"


class ImageUploadBody(ApiModel):
    """A file that is to be uploaded."""

    file_name: str
    """In the URL."""
    kind: ImageKind = ImageKind("image")
    name: str
    sha256: str = ""
    """What its digest must be; empty: any."""
    size: int
    """Bytes."""
    version: str


class ImageUploadView(ApiModel):
    """An upload under way, or the image that it has become."""

    expires_at: AwareDatetime
    id: str
    image: ImageView | None
    """Once all is there."""
    received: int
    """Bytes that are there: the next piece begins here."""
    size: int


class ImageView(ApiModel):
    """An image, SMU or patch on record."""

    added_at: AwareDatetime
    file_name: str
    id: int
    kind: ImageKind
    name: str
    path: str
    """The path of its URL at the image store."""
    sha256: str
    size: int
    """Bytes."""
    stored: bool
    """Whether the image store has the file."""
    version: str


class ImportChange(ApiModel):
    """What becomes of one entry."""

    action: Action
    changes: list[str]
    """Words for each key that changes; no secret."""
    name: str
    section: str


class ImportResult(ApiModel):
    """What an import did, or would do."""

    added: int
    changes: list[ImportChange]
    """The first 10000, without the same."""
    left_out: int
    """Changes that are not listed."""
    same: int
    updated: int
    warnings: list[str]


class JournalEvent(ApiModel):
    """One thing that happened; ``state`` is the attempt's when this was read."""

    at: AwareDatetime
    attempt: int
    """Counts the attempts of the chassis; 0 for a stranger."""
    attempt_id: int
    chassis: str
    data: dict[str, JsonValue]
    dialect: str
    """The attempt's: of the path that was called."""
    id: int
    kind: EventKind
    serial_number: str
    state: AttemptState
    written: str
    """The attempt's: of the answer; empty where there was none."""


class KeyView(ApiModel):
    """A certificate, and where the private key to it is."""

    days_left: int
    """Negative when it has ended."""
    key_is: str
    """Where the private key is, in words."""
    kind: str
    """The kind of its key."""
    name: str
    """As in `bootz keys show`; of a vendor, its name."""
    not_after: AwareDatetime
    not_before: AwareDatetime
    pem: str
    """The certificate, and those above it."""
    role: str
    """pinned-domain, owner, trust-anchor, tls; vendor-idevid-ca, vendor-voucher-ca."""
    sha256: str
    state: str
    subject: str


class LastSentView(ApiModel):
    """What a router was last sent, beside what it would get now."""

    chassis: str
    detail: str
    dialect: str
    difference: list[str]
    """Lines of what was sent (`- `), of what would be (`+ `), and of both (`  `)."""
    payload: dict[str, JsonValue] | None
    """Field by field as it was on the wire; null: it was too large to be kept."""
    reached_at: str
    """Host and port at which the router reached the server."""
    reason: str
    """Why it would get nothing now; empty where it would."""
    same: bool | None
    """Whether it would get the same now; null where that cannot be told."""
    sent: bool
    """Whether it was ever sent anything; else all below is empty."""
    sha256: str
    """Of the data without their nonce."""
    since: AwareDatetime | None
    """When exactly these data were first sent."""
    size: int
    """Bytes of these data."""


class LoggedIn(ApiModel):
    """Who is logged in; ``csrf`` goes back in a header with each change."""

    csrf: str
    name: str
    role: Literal["viewer", "operator", "security", "admin"]


class Login(ApiModel):
    """A name with its password, or a one-time link's secret."""

    link: str = ""
    name: str = ""
    password: str = ""


class ManyChassis(ApiModel):
    """Chassis that are put on record together."""

    chassis: list[ChassisBody]


class Me(ApiModel):
    """Who calls, as the API knows it."""

    name: str
    role: Literal["viewer", "operator", "security", "admin"]
    scope: dict[str, str]


class NewToken(ApiModel):
    """A new token."""

    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    id: int
    name: str
    revoked_at: AwareDatetime | None
    role: OperatorRole
    scope: dict[str, str]
    """Labels that a chassis must have to be seen."""
    secret: str
    """What programs send; shown only here."""
    used_at: AwareDatetime | None


class NewUser(ApiModel):
    """A new account; without a password it is entered once by ``link``."""

    created_at: AwareDatetime
    enabled: bool
    has_password: bool
    last_login: AwareDatetime | None
    link: str | None
    """The secret of a one-time link, shown only here."""
    name: str
    openid_subject: str | None
    role: OperatorRole


class NewWebhook(ApiModel):
    """A new webhook."""

    created_at: AwareDatetime
    created_by: str
    dead: int
    """Deliveries that were given up after a day."""
    delivered: int
    """Deliveries that were acknowledged."""
    delivered_at: AwareDatetime | None
    enabled: bool
    events: list[str]
    labels: dict[str, str]
    name: str
    secret: str | None
    """What the receiver checks signatures with; shown only here, and only if it was made here."""
    url: str
    waiting: int
    """Deliveries that are sent, or tried again."""


class OperatorRole(StrEnum):
    """What a person or a program may do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SECURITY = "security"
    ADMIN = "admin"


class Outcome(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class PageKeyView(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[KeyView]


class PageReplacementView(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[ReplacementView]


class PageToken(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[Token]


class PageUnionChassisViewDictStrAny(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[ChassisView]


class PageUnionImageViewDictStrAny(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[ImageView]


class PageUnionProfileDictStrAny(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[Profile]


class PageUnionVendorViewDictStrAny(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[VendorView]


class PageUserView(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[UserView]


class PageVoucherFetchView(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[VoucherFetchView]


class PageVoucher(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[Voucher]


class PageWebhookView(ApiModel):
    """See openapi.json."""

    count: int
    """How many there are on all pages."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[WebhookView]


class PartView(ApiModel):
    """One part of the site, and why it is not well."""

    detail: str
    next_action: str
    part: str
    reason: str
    well: bool


class PreflightCheckView(ApiModel):
    """One check."""

    check: str
    evidence: str
    next_action: str
    outcome: PreflightOutcome
    reason: str


class PreflightOutcome(StrEnum):
    """What one check says."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


class PreflightPage(ApiModel):
    """A page of chassis, and what all of them share."""

    count: int
    """How many there are on all pages."""
    go: bool
    """Whether nothing has failed on this page or for the site."""
    next: str | None
    """The next page's path, null on the last."""
    previous: str | None
    """The page before, null on the first."""
    results: list[PreflightView]
    site: PreflightView


class PreflightView(ApiModel):
    """The checks of the site, or of one chassis."""

    checks: list[PreflightCheckView]
    go: bool
    """Whether nothing has failed."""
    id: int
    """The chassis's; 0 for the site."""
    name: str


class Problem(ApiModel):
    """Why a request was not done (RFC 9457 section 3)."""

    detail: str
    errors: list[ErrorItem]
    """Everything that is wrong, at least one."""
    next_action: str
    """What a person does next."""
    reason: str
    """A code of `bootz reasons`."""
    status: int
    title: str
    """What the reason means."""
    type: str
    """`about:blank`: the reason says more than a page would."""


class Profile(ApiModel):
    """A profile on record; beside these, the keys of its document (docs/templates.md)."""

    description: str = ""
    name: str


class RejectBody(ApiModel):
    """Whose card is refused, where two manufacturers have the number."""

    vendor: str | None = None


class Removed(ApiModel):
    """What was removed."""

    removed: str
    """Its name."""


class RemovedMany(ApiModel):
    """What was removed, by serial number."""

    removed: list[str]


class RemovedVouchers(ApiModel):
    """Which vouchers were removed, by their SHA-256."""

    removed: list[str]


class RenderView(ApiModel):
    """What a router would get, without nonce and signature."""

    chassis: str
    dialect: str
    payload: dict[str, JsonValue]
    """Field by field as it is on the wire."""
    warnings: list[str]
    """What an operator would not expect in it."""


class ReplacementView(ApiModel):
    """A card that waits, with what the device had proven when it listed it."""

    chassis: str
    evidence: str
    """SHA-256 of the IDevID of the card that asked."""
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    part_number: str
    peer: str
    proven_serial: str
    """The card that asked, as proven."""
    replaces: str
    """The card on record in the same slot, or empty."""
    serial_number: str
    slot: str
    state: Literal["pending", "rejected"]
    vendor: str


class ResendDeliveries(ApiModel):
    """Which deliveries to send again."""

    ids: list[int] | None = None
    """Default: all."""


class Resent(ApiModel):
    """How many deliveries are sent again."""

    resent: int


class SetUser(ApiModel):
    """What is changed of an account; what is left out stays."""

    enabled: bool | None = None
    password: str | None = None
    role: OperatorRole | None = None


class SetWebhook(ApiModel):
    """What is to change."""

    enabled: bool | None = None
    events: list[str] | None = None
    """Types of events; none: all of them."""
    labels: dict[str, str] | None = None
    """Labels that a chassis must have."""
    secret: str | None = None
    url: str | None = None


class SiteStatus(ApiModel):
    """The site at a glance."""

    chassis: dict[str, int]
    """How many stand where."""
    database: str
    """sqlite or postgresql."""
    last_event: int
    """The id of the journal's latest event."""
    organization: str
    parts: list[PartView]
    ready: bool
    """Whether every part is well, as /readyz says."""
    schema_version: int
    unsafe: UnsafeChassis
    version: str


class SourceChange(ApiModel):
    """What became of a chassis."""

    action: Literal["add", "update", "same"]
    changes: list[str]
    name: str


class SourceCheckView(ApiModel):
    """One check of a source: of its token, a right, a filter's value, the custom fields."""

    check: str
    detail: str
    next: str
    outcome: Literal["passed", "failed"]
    reason: str
    """Empty where it passed."""


class SourceFault(ApiModel):
    """What is wrong with a device, or what it waits for."""

    detail: str
    device: str
    """The source's id."""
    expected: str
    name: str
    next: str
    """What a person does next."""
    reason: str
    seen: str
    url: str
    """The device's page there."""


class SourceOrderBody(ApiModel):
    """What is asked of a sync."""

    accept_missing: bool = False
    """Go on although many devices disappeared."""
    adopt: bool = False
    """Take chassis that say the same into its hands."""
    from_copy: bool = False
    """Use the last good copy."""
    update: bool = False
    """Take the source's values over changes made here."""


class SourcePushFault(ApiModel):
    """Why the state of a chassis was not written back."""

    device: str
    """The source's id."""
    name: str
    next: str
    """What a person does next."""
    reason: str
    url: str
    """The device's page there."""


class SourceReleaseBody(ApiModel):
    """Which chassis is taken out of its source's hands."""

    serial_number: str
    vendor: str | None = None


class SourceReleased(ApiModel):
    """The source that a chassis belonged to."""

    released_from: str
    serial_number: str


class SourceView(ApiModel):
    """A source: its last good copy, its last failure since, and how many chassis it has."""

    chassis: int
    copy_age_seconds: int | None
    copy_at: AwareDatetime | None
    """When it was read for the last time."""
    detail: str
    devices: int
    failed_at: AwareDatetime | None
    failures: int
    faults: list[SourceFault]
    held: int
    kind: Literal["netbox", "nautobot"]
    name: str
    next: str
    """What a person does about the failure."""
    product_version: str
    push_faults: list[SourcePushFault]
    reason: str
    url: str
    warnings: list[str]


class StandingView(ApiModel):
    """Where a chassis stands (docs/states.md)."""

    attempt: int
    detail: str
    next_action: str
    reason: str
    since: AwareDatetime | None
    state: ChassisState
    step: ChassisState | None
    """The state that `stuck` or `on-hold` hides."""


class StrangerView(ApiModel):
    """A caller that is not on record, and what it has proven."""

    chassis: str
    """Host name or serial number; empty for a stranger."""
    claimed_manufacturer: str
    claimed_serial: str
    detail: str
    dialect: str
    """Of the path that was called."""
    downloads: int
    id: int
    idevid_sha256: str
    ignored: bool
    image_bytes: int
    meaning: str
    """What the reason means."""
    next_action: str
    """What a person does next."""
    number: int
    """Counts the attempts of the chassis; 0 for a stranger."""
    peer: str
    proven_serial: str
    proven_vendor: str
    """Whose CA vouched for it; empty: it proved nothing."""
    reason: str
    repeats: int
    reports: int
    started_at: AwareDatetime
    state: AttemptState
    updated_at: AwareDatetime
    vendor: str
    written: str
    """The dialect of the answer; empty where there was none."""


class SyncedView(ApiModel):
    """What a sync did, or would do."""

    changes: list[SourceChange]
    counts: dict[str, int]
    dry_run: bool
    faults: list[SourceFault]
    held: list[str]
    refused: bool
    """A dry run whose sync would change nothing, for faults and on_fault: stop."""
    released: list[str]
    warnings: list[str]


class Token(ApiModel):
    """A token on record, without its secret."""

    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    id: int
    name: str
    revoked_at: AwareDatetime | None
    role: OperatorRole
    scope: dict[str, str]
    """Labels that a chassis must have to be seen."""
    used_at: AwareDatetime | None


class TrialView(ApiModel):
    """What came of a test."""

    delivered: bool
    detail: str
    reason: str
    status: int
    """The receiver's, 0 where no answer came."""
    webhook: str


class UnsafeChassis(ApiModel):
    """How many chassis are served without a proof."""

    insecure: int
    """In insecure mode: their data are sent unsigned."""
    skip_serial: int
    """Without the check of the serial number in the IDevID."""


class UserView(ApiModel):
    """A person's account."""

    created_at: AwareDatetime
    enabled: bool
    has_password: bool
    last_login: AwareDatetime | None
    name: str
    openid_subject: str | None
    role: OperatorRole


class VendorView(ApiModel):
    """A manufacturer on record. Certificates are PEM."""

    aliases: list[str] = Field(default_factory=list)
    idevid_ca: str
    """The CAs of its IDevIDs."""
    ien: str = ""
    """IANA enterprise number, digits."""
    intermediates: str = ""
    name: str
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Keys as `bootz import` takes them."""
    voucher_ca: str = ""
    """The CAs of its vouchers. Empty: idevid_ca."""


class Voucher(ApiModel):
    """A stored voucher, verified when it was stored."""

    assertion: str
    created_on: AwareDatetime | None
    days_left: float | None
    """Negative when it has ended; null without an end."""
    expires_on: AwareDatetime | None
    pinned_sha256: str
    serial_number: str
    sha256: str
    signer: str
    stored_at: AwareDatetime
    vendor: str
    warnings: list[str]


class VoucherFetchBody(ApiModel):
    """Which cards without a voucher the server is asked to fetch one for; all if it is empty."""

    label: str = ""
    """`key` or `key=value` of the chassis."""
    serial_numbers: list[str] = Field(default_factory=list)
    vendor: str = ""


class VoucherFetchFault(ApiModel):
    """A card that got no voucher."""

    detail: str
    reason: str
    serial_number: str
    vendor: str


class VoucherFetchView(ApiModel):
    """A request to the server to fetch vouchers."""

    asked_at: AwareDatetime
    asked_by: str
    begun_at: AwareDatetime | None
    cards: int
    """Those without a voucher when it was taken up."""
    detail: str
    ended_at: AwareDatetime | None
    faults: list[VoucherFetchFault]
    """The first 50 cards that got none."""
    id: int
    label: str
    reason: str
    """Why it failed; empty where it did not."""
    serial_numbers: list[str]
    state: FetchState
    """`asked` waits for a running `bootz serve`."""
    stored: int
    """Those of them that got one."""
    vendor: str


class WebhookView(ApiModel):
    """A webhook on record, without its secret."""

    created_at: AwareDatetime
    created_by: str
    dead: int
    """Deliveries that were given up after a day."""
    delivered: int
    """Deliveries that were acknowledged."""
    delivered_at: AwareDatetime | None
    enabled: bool
    events: list[str]
    labels: dict[str, str]
    name: str
    url: str
    waiting: int
    """Deliveries that are sent, or tried again."""
