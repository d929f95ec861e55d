"""The tables. Times are UTC text of fixed width, so that they sort; JSON is text.

A serial number is one row of ``serial``, whether a chassis or a card has it, so that the
database itself keeps it unique per manufacturer, without case. The keys of chassis and attempts
are counted in ``meta`` (``revision.py``), so that many are written at once and none comes again.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

# BIGINT would not be SQLite's row id.
_KEY = BigInteger().with_variant(Integer(), "sqlite")
_TIME = String(27)

META = Table(
    "meta",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

VENDOR = Table(
    "vendor",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False, unique=True),
    Column("aliases", Text, nullable=False),
    Column("ien", Text, nullable=False),
    Column("idevid_ca", Text, nullable=False),
    Column("intermediates", Text, nullable=False),
    Column("voucher_ca", Text, nullable=False),
    Column("settings", Text, nullable=False),
)

PROFILE = Table(
    "profile",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("document", Text, nullable=False),
)

IMAGE = Table(
    "image",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("kind", String(8), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("added_at", _TIME, nullable=False),
    UniqueConstraint("kind", "name", "version"),
)

CHASSIS = Table(
    "chassis",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=False),
    Column("vendor_id", ForeignKey("vendor.id"), nullable=False, index=True),
    Column("serial", Text, nullable=False),
    Column("part_number", Text, nullable=False),
    Column("hostname", Text, nullable=False),
    Column("modular", Boolean, nullable=False),
    Column("boot_mode", String(8), nullable=False),
    Column("release", String(8), nullable=True),
    Column("streaming", Boolean, nullable=False),
    Column("skip_idevid_serial_check", Boolean, nullable=False),
    Column("voucher_delivery", String(8), nullable=False),
    Column("dynamic_config", String(8), nullable=False),
    Column("profile_id", ForeignKey("profile.id"), nullable=True, index=True),
    Column("variables", Text, nullable=False),
    Column("overrides", Text, nullable=False),
    Column("dhcp", Text, nullable=False),
    Column("url_tag", String(32), nullable=False, unique=True),
    Column("revision", BigInteger, nullable=False),
    # On hold since then, and why; null for a chassis that may onboard.
    Column("hold_since", _TIME, nullable=True),
    Column("hold_note", Text, nullable=False, server_default=""),
)
# Lists of a state ask for the few that are on hold.
Index(
    "ix_chassis_hold_since",
    CHASSIS.c.hold_since,
    sqlite_where=CHASSIS.c.hold_since.is_not(None),
    postgresql_where=CHASSIS.c.hold_since.is_not(None),
)

CHASSIS_LABEL = Table(
    "chassis_label",
    METADATA,
    Column("chassis_id", ForeignKey("chassis.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(63), primary_key=True),
    Column("value", Text, nullable=False),
    Index("ix_chassis_label_value", "key", "value"),
    sqlite_with_rowid=False,
)

CARD = Table(
    "card",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("chassis_id", ForeignKey("chassis.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("serial", Text, nullable=False),
    Column("part_number", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("mac", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("duid", Text, nullable=False),
    Column("tpm_version", String(4), nullable=False),
    Column("tpm_ek", LargeBinary, nullable=True),
    Column("tpm_ppk", LargeBinary, nullable=True),
    Column("tpm_key", LargeBinary, nullable=True),
    Column("tpm_ek_certificate", LargeBinary, nullable=True),
)

SERIAL = Table(
    "serial",
    METADATA,
    Column("serial_folded", Text, primary_key=True),
    Column("vendor_id", ForeignKey("vendor.id"), primary_key=True),
    Column("chassis_id", ForeignKey("chassis.id", ondelete="CASCADE"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

IMAGE_USE = Table(
    "image_use",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("image_id", ForeignKey("image.id"), nullable=False, index=True),
    Column("profile_id", ForeignKey("profile.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("chassis_id", ForeignKey("chassis.id", ondelete="CASCADE"), nullable=True, index=True),
)

VOUCHER = Table(
    "voucher",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("vendor_id", ForeignKey("vendor.id"), nullable=False, index=True),
    Column("serial", Text, nullable=False),
    Column("serial_folded", Text, nullable=False),
    Column("pinned_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("created_on", _TIME, nullable=True),
    Column("expires_on", _TIME, nullable=True),
    Column("assertion", String(16), nullable=False),
    Column("encoding", String(8), nullable=False),
    Column("signer", Text, nullable=False),
    Column("warnings", Text, nullable=False),
    Column("stored_at", _TIME, nullable=False),
    UniqueConstraint("serial_folded", "vendor_id", "pinned_sha256", "sha256"),
)

VOUCHER_FETCH = Table(
    "voucher_fetch",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("asked_at", _TIME, nullable=False),
    Column("asked_by", Text, nullable=False),
    # Which cards without a voucher are meant; what is empty does not choose.
    Column("vendor", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("serials", Text, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("begun_at", _TIME, nullable=True),
    Column("ended_at", _TIME, nullable=True),
    Column("cards", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    # The first cards that got none, JSON: serial number, vendor, reason, detail.
    Column("faults", Text, nullable=False),
    sqlite_autoincrement=True,
)

ATTEMPT = Table(
    "attempt",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=False),
    Column("chassis_id", ForeignKey("chassis.id", ondelete="SET NULL"), nullable=True),
    Column("number", Integer, nullable=False),
    Column("claimed_manufacturer", Text, nullable=False),
    Column("claimed_serial", Text, nullable=False),
    Column("serial_folded", Text, nullable=False, index=True),
    Column("proven_serial", Text, nullable=False),
    Column("idevid_fingerprint", Text, nullable=False),
    Column("peer", Text, nullable=False),
    # Of the path that was called, and the one that the answer was written in; empty without one.
    Column("dialect", Text, nullable=False),
    Column("written", Text, nullable=False, server_default=""),
    Column("nonce_digest", Text, nullable=False),
    Column("refusal_key", String(64), nullable=True, index=True),
    Column("started_at", _TIME, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("checks", Text, nullable=False),
    Column("sent", Text, nullable=False),
    Column("image_bytes", BigInteger, nullable=False),
    Column("downloads", Integer, nullable=False),
    # How far the latest download has come, and the whole file's size, in bytes.
    Column("image_position", BigInteger, nullable=False, server_default="0"),
    Column("image_size", BigInteger, nullable=False, server_default="0"),
    Column("reports", Integer, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Index("ix_attempt_chassis", "chassis_id", "id"),
    Index("ix_attempt_nonce", "nonce_digest", "chassis_id"),
)

Index(
    "ix_attempt_stray",
    ATTEMPT.c.id,
    sqlite_where=ATTEMPT.c.refusal_key.is_not(None),
    postgresql_where=ATTEMPT.c.refusal_key.is_not(None),
)

EVENT = Table(
    "event",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("attempt_id", ForeignKey("attempt.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", _TIME, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("data", Text, nullable=False),
    sqlite_autoincrement=True,
)

SENT_DATA = Table(
    "sent_data",
    METADATA,
    Column(
        "chassis_id",
        ForeignKey("chassis.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # When it was first sent; a repetition of the same writes nothing.
    Column("since", _TIME, nullable=False),
    Column("dialect", Text, nullable=False),
    # The address at which the router reached the server: templates can name it.
    Column("reached_at", Text, nullable=False),
    # Of the data without their nonce, before compression.
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    # Compressed by zlib; null where even so it is larger than is kept.
    Column("content", LargeBinary, nullable=True),
)

PENDING_REPLACEMENT = Table(
    "pending_replacement",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("chassis_id", ForeignKey("chassis.id", ondelete="CASCADE"), nullable=False),
    Column("serial", Text, nullable=False),
    Column("serial_folded", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("part_number", Text, nullable=False),
    Column("proven_serial", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("first_seen", _TIME, nullable=False),
    Column("last_seen", _TIME, nullable=False),
    Column("state", String(16), nullable=False),
    UniqueConstraint("chassis_id", "serial_folded"),
)

SEAT = Table(
    "seat",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("chassis_id", ForeignKey("chassis.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("slot", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("part_number", Text, nullable=False),
    Column("since", _TIME, nullable=False),
    Column("last_seen", _TIME, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=False),
    Column("at", _TIME, nullable=False),
    Column("actor", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("verb", Text, nullable=False, index=True),
    Column("object", Text, nullable=False, index=True),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password", Text, nullable=False),
    # The issuer and subject of an OpenID Connect provider, or null.
    Column("subject", Text, nullable=True, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("last_login", _TIME, nullable=True),
    sqlite_autoincrement=True,
)

LOGIN_LINK = Table(
    "login_link",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", _TIME, nullable=False),
    sqlite_with_rowid=False,
)

LOGIN_SESSION = Table(
    "login_session",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("peer", Text, nullable=False),
    Column("began_at", _TIME, nullable=False),
    Column("used_at", _TIME, nullable=False),
    Column("expires_at", _TIME, nullable=False),
    sqlite_with_rowid=False,
)

API_TOKEN = Table(
    "api_token",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    # Labels that chassis must have for this token to see them, JSON.
    Column("scope", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", _TIME, nullable=True),
    Column("used_at", _TIME, nullable=True),
    Column("revoked_at", _TIME, nullable=True),
    sqlite_autoincrement=True,
)

IDEMPOTENT_ANSWER = Table(
    "idempotent_answer",
    METADATA,
    Column("principal", Text, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", _TIME, nullable=False, index=True),
    sqlite_with_rowid=False,
)

SITE_SECRET = Table(
    "site_secret",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Secrets of the operator's door that protect nothing of the owner; never exported."""

SITE_CERTIFICATE = Table(
    "site_certificate",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("role", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    # Where the private key is, in words; the key itself is never here.
    Column("key_is", Text, nullable=False),
    Column("brought", Boolean, nullable=False),
    Column("chain", Text, nullable=False),
)

IMAGE_UPLOAD = Table(
    "image_upload",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("principal", Text, nullable=False),
    # What becomes of it: kind, name, version and file name, as JSON.
    Column("wanted", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("begun_at", _TIME, nullable=False),
    Column("used_at", _TIME, nullable=False, index=True),
    sqlite_with_rowid=False,
)

IGNORED_STRANGER = Table(
    "ignored_stranger",
    METADATA,
    Column("serial_folded", Text, primary_key=True),
    Column("serial", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", _TIME, nullable=False),
    sqlite_with_rowid=False,
)

SOURCE = Table(
    "source",
    METADATA,
    Column("name", String(40), primary_key=True),
    # The last failure since the last success: when, why, and how many in a row.
    Column("failed_at", _TIME, nullable=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    # Of the last success: the devices with faults, JSON.
    Column("faults", Text, nullable=False),
    sqlite_with_rowid=False,
)

SOURCE_CHASSIS = Table(
    "source_chassis",
    METADATA,
    Column("chassis_id", ForeignKey("chassis.id", ondelete="CASCADE"), primary_key=True),
    Column("source", String(40), nullable=False),
    Column("device", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("status", Text, nullable=False),
    # The document that was last taken from the source, JSON.
    Column("said", Text, nullable=False),
    # Syncs in a row in which it was gone; out of the selection with another status or tag; put
    # on hold by a sync.
    Column("gone", Integer, nullable=False),
    Column("left", Boolean, nullable=False),
    Column("held", Boolean, nullable=False),
    # What was last written back, when the next try is due, and why the last one failed.
    Column("pushed", Text, nullable=False),
    Column("push_after", _TIME, nullable=True),
    Column("push_tries", Integer, nullable=False),
    Column("push_reason", Text, nullable=False),
    UniqueConstraint("source", "device"),
    sqlite_with_rowid=False,
)

WEBHOOK = Table(
    "webhook",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("name_folded", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    # Types of events, none for all; labels that the chassis must have. JSON.
    Column("events", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("enabled", Boolean, nullable=False),
    # The last event of the journal that was looked at.
    Column("taken", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("delivered_at", _TIME, nullable=True),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    sqlite_autoincrement=True,
)

WEBHOOK_DELIVERY = Table(
    "webhook_delivery",
    METADATA,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("webhook_id", ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("type", String(64), nullable=False),
    # What is in order within itself: the events of one chassis.
    Column("lane", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("since", _TIME, nullable=False),
    Column("next_at", _TIME, nullable=False),
    Column("error", Text, nullable=False),
    UniqueConstraint("webhook_id", "event_id"),
    Index("ix_webhook_delivery_lane", "webhook_id", "state", "lane", "id"),
    sqlite_autoincrement=True,
)

SERVER = Table(
    "server",
    METADATA,
    # New for each process that serves routers.
    Column("name", String(32), primary_key=True),
    Column("host", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("agreed", String(64), nullable=False),
    # A JSON list of addresses.
    Column("listens", Text, nullable=False),
    Column("started_at", _TIME, nullable=False),
    Column("seen_at", _TIME, nullable=False),
    Column("connections", Integer, nullable=False),
    Column("leads", Boolean, nullable=False),
)
