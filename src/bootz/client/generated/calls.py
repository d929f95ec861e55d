"""The calls of the API; written by tools/write_client.py, never by hand."""

from typing import Literal

from pydantic import AwareDatetime

from bootz.client.call import ApiCall, quoted, written
from bootz.client.generated import models


def attempt_list(
    *,
    limit: int | None = None,
    before: int | None = None,
    state: list[models.AttemptState] | None = None,
    reason: list[str] | None = None,
    dialect: list[str] | None = None,
    label: list[str] | None = None,
    since: AwareDatetime | None = None,
) -> ApiCall[models.CursorPageAttemptView]:
    """List attempts, the newest first.

    Needs the role viewer.
    """
    return ApiCall(
        models.CursorPageAttemptView,
        "GET",
        "/api/v1/attempts",
        query={
            "limit": limit,
            "before": before,
            "state": state,
            "reason": reason,
            "dialect": dialect,
            "label": label,
            "since": since,
        },
    )


def attempt_show(key: int) -> ApiCall[models.AttemptDetail]:
    """Show an attempt with every check and event, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.AttemptDetail,
        "GET",
        f"/api/v1/attempts/{quoted(key)}",
    )


def audit_list(
    *,
    limit: int | None = None,
    before: int | None = None,
    actor: str | None = None,
    verb: str | None = None,
    object: str | None = None,
    since: AwareDatetime | None = None,
) -> ApiCall[models.CursorPageAuditEntryView]:
    """List entries, the newest first.

    Needs the role security.
    """
    return ApiCall(
        models.CursorPageAuditEntryView,
        "GET",
        "/api/v1/audit",
        query={
            "limit": limit,
            "before": before,
            "actor": actor,
            "verb": verb,
            "object": object,
            "since": since,
        },
    )


def audit_verify() -> ApiCall[models.AuditVerdictView]:
    """Check the chain of digests.

    Needs the role security.
    """
    return ApiCall(
        models.AuditVerdictView,
        "GET",
        "/api/v1/audit/verify",
    )


def chassis_remove_many(
    body: models.ChassisKeys,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.RemovedMany]:
    """Take many chassis off the record, or none; their attempts stay in the journal.

    Needs the role operator.
    """
    return ApiCall(
        models.RemovedMany,
        "DELETE",
        "/api/v1/chassis",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def chassis_list(
    *,
    ordering: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
    q: str | None = None,
    vendor: str | None = None,
    profile: str | None = None,
    label: list[str] | None = None,
    state: list[models.ChassisState] | None = None,
) -> ApiCall[models.PageUnionChassisViewDictStrAny]:
    """List chassis, with where each stands.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageUnionChassisViewDictStrAny,
        "GET",
        "/api/v1/chassis",
        query={
            "ordering": ordering,
            "limit": limit,
            "offset": offset,
            "q": q,
            "vendor": vendor,
            "profile": profile,
            "label": label,
            "state": state,
        },
    )


def chassis_set_many(
    body: models.ChassisPatch,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Changed]:
    """Change many chassis alike: all of them, or none with every error at once.

    Needs the role operator.
    """
    return ApiCall(
        models.Changed,
        "PATCH",
        "/api/v1/chassis",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def chassis_add(
    body: models.ChassisBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.ChassisView]:
    """Put a chassis on record.

    Needs the role operator.
    """
    return ApiCall(
        models.ChassisView,
        "POST",
        "/api/v1/chassis",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def chassis_add_many(
    body: models.ManyChassis,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Added]:
    """Put many chassis on record: all of them, or none with every error at once.

    Needs the role operator.
    """
    return ApiCall(
        models.Added,
        "POST",
        "/api/v1/chassis/bulk",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def chassis_hold(
    body: models.HoldBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Changed]:
    """Put chassis on hold: they are refused, whatever they prove, until they are released.

    Needs the role operator.
    """
    return ApiCall(
        models.Changed,
        "POST",
        "/api/v1/chassis/hold",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def chassis_release(
    body: models.ChassisKeys,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Changed]:
    """Release chassis that are on hold: a night begins.

    Needs the role operator.
    """
    return ApiCall(
        models.Changed,
        "POST",
        "/api/v1/chassis/release",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def chassis_remove(
    key: int,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Removed]:
    """Take a chassis off the record; its attempts stay in the journal.

    Needs the role operator.
    """
    return ApiCall(
        models.Removed,
        "DELETE",
        f"/api/v1/chassis/{quoted(key)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def chassis_show(key: int) -> ApiCall[models.ChassisView]:
    """Show a chassis, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.ChassisView,
        "GET",
        f"/api/v1/chassis/{quoted(key)}",
    )


def chassis_set(
    key: int,
    body: models.ChassisBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.ChassisView]:
    """Replace what is on record of a chassis.

    Needs the role operator.
    """
    return ApiCall(
        models.ChassisView,
        "PUT",
        f"/api/v1/chassis/{quoted(key)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def chassis_check(
    key: int, *, probe: bool | None = None, server: bool | None = None
) -> ApiCall[models.PreflightPage]:
    """Try everything that can fail without the router, for one chassis.

    Needs the role viewer.
    """
    return ApiCall(
        models.PreflightPage,
        "GET",
        f"/api/v1/chassis/{quoted(key)}/preflight",
        query={"probe": probe, "server": server},
    )


def chassis_render(
    key: int, *, dialect: models.DialectName | None = None, card: list[str] | None = None
) -> ApiCall[models.RenderView]:
    """Show what a router would get. Who may not see secrets sees fingerprints in their place.

    Needs the role viewer.
    """
    return ApiCall(
        models.RenderView,
        "GET",
        f"/api/v1/chassis/{quoted(key)}/render",
        query={"dialect": dialect, "card": card},
    )


def chassis_sent(key: int) -> ApiCall[models.LastSentView]:
    """Show what a router was last sent, and the difference to what it would get now.

    Needs the role viewer.
    """
    return ApiCall(
        models.LastSentView,
        "GET",
        f"/api/v1/chassis/{quoted(key)}/sent",
    )


def event_list(
    *, after: int | None = None, limit: int | None = None
) -> ApiCall[models.CursorPageJournalEvent]:
    """List events in their order. ``next`` is always there: ask it later for what comes.

    Needs the role viewer.
    """
    return ApiCall(
        models.CursorPageJournalEvent,
        "GET",
        "/api/v1/events",
        query={"after": after, "limit": limit},
    )


def export_run(
    *,
    format: models.FileForm | None = None,
    only: list[Literal["vendors", "images", "profiles", "chassis", "vouchers"]] | None = None,
    secrets: bool | None = None,
) -> ApiCall[str]:
    """Export the inventory. Without ``secrets`` each is a fingerprint, and no import takes it.

    Needs the role viewer.
    """
    return ApiCall(
        str,
        "GET",
        "/api/v1/exports",
        query={"format": format, "only": only, "secrets": secrets},
    )


def image_list(
    *,
    q: str | None = None,
    kind: models.ImageKind | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> ApiCall[models.PageUnionImageViewDictStrAny]:
    """List images by kind, name and version.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageUnionImageViewDictStrAny,
        "GET",
        "/api/v1/images",
        query={"q": q, "kind": kind, "limit": limit, "offset": offset},
    )


def image_upload_begin(
    body: models.ImageUploadBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.ImageUploadView]:
    """Begin an upload; then send the file with PUT, whole or in pieces.

    Needs the role operator.
    """
    return ApiCall(
        models.ImageUploadView,
        "POST",
        "/api/v1/images/uploads",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def image_upload_drop(
    upload: str,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Removed]:
    """Drop an upload, and what was received of it.

    Needs the role operator.
    """
    return ApiCall(
        models.Removed,
        "DELETE",
        f"/api/v1/images/uploads/{quoted(upload)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def image_upload_show(upload: str) -> ApiCall[models.ImageUploadView]:
    """Show how far an upload has come, where the next piece begins, with its ETag.

    Needs the role operator.
    """
    return ApiCall(
        models.ImageUploadView,
        "GET",
        f"/api/v1/images/uploads/{quoted(upload)}",
    )


def image_upload_send(
    upload: str,
    content: bytes,
    *,
    dry_run: bool | None = None,
    content_range: str | None = None,
    if_match: str | None = None,
) -> ApiCall[models.ImageUploadView]:
    """Send a file or a piece of it; what has come stays when the connection is lost.

    With the last byte the file is compared with its digest and put on record, or dropped.
    ``dry_run`` says how far the upload would come; the digest is compared only where the whole
    file is sent.

    Needs the role operator.
    """
    return ApiCall(
        models.ImageUploadView,
        "PUT",
        f"/api/v1/images/uploads/{quoted(upload)}/content",
        query={"dry_run": dry_run},
        headers={"content-range": content_range, "if-match": if_match},
        content=content,
    )


def image_remove(
    key: int,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Removed]:
    """Remove an image that nothing names; downloads that run come to their end.

    Needs the role operator.
    """
    return ApiCall(
        models.Removed,
        "DELETE",
        f"/api/v1/images/{quoted(key)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def image_show(key: int) -> ApiCall[models.ImageView]:
    """Show an image, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.ImageView,
        "GET",
        f"/api/v1/images/{quoted(key)}",
    )


def import_run(
    content: bytes,
    *,
    update: bool | None = None,
    clear: list[str] | None = None,
    only: list[Literal["vendors", "images", "profiles", "chassis", "vouchers"]] | None = None,
    dry_run: bool | None = None,
    content_type: str | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.ImportResult]:
    """Import a table or a document: everything, or nothing with every error at once.

    The media type says which: text/csv, application/yaml or application/json. Vendors need the
    role security; so does a chassis that would be served without proofs.

    Needs the role operator.
    """
    return ApiCall(
        models.ImportResult,
        "POST",
        "/api/v1/imports",
        query={"update": update, "clear": clear, "only": only, "dry_run": dry_run},
        headers={
            "content-type": content_type,
            "if-match": if_match,
            "idempotency-key": idempotency_key,
        },
        content=content,
    )


def keys_list(
    *, limit: int | None = None, offset: int | None = None
) -> ApiCall[models.PageKeyView]:
    """List certificates: those of the site first, then the vendors' CAs.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageKeyView,
        "GET",
        "/api/v1/keys",
        query={"limit": limit, "offset": offset},
    )


def login(body: models.Login) -> ApiCall[models.LoggedIn]:
    """Log in; the answer sets the session's cookie.

    Needs the role of none.
    """
    return ApiCall(
        models.LoggedIn,
        "POST",
        "/api/v1/login",
        json=written(body),
    )


def logout(
    *, dry_run: bool | None = None, if_match: str | None = None, idempotency_key: str | None = None
) -> ApiCall[None]:
    """End the session; a token is not touched.

    Needs the role of none.
    """
    return ApiCall(
        None,
        "POST",
        "/api/v1/logout",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def me() -> ApiCall[models.Me]:
    """Return who calls.

    Needs the role of none.
    """
    return ApiCall(
        models.Me,
        "GET",
        "/api/v1/me",
    )


def chassis_check_many(
    *,
    probe: bool | None = None,
    server: bool | None = None,
    outcome: Literal["failed", "all"] | None = None,
    limit: int | None = None,
    offset: int | None = None,
    q: str | None = None,
    vendor: str | None = None,
    profile: str | None = None,
    label: list[str] | None = None,
    state: list[models.ChassisState] | None = None,
) -> ApiCall[models.PreflightPage]:
    """Try everything for many chassis, a page at a time; the batch is a go where each page is.

    Needs the role viewer.
    """
    return ApiCall(
        models.PreflightPage,
        "GET",
        "/api/v1/preflight",
        query={
            "probe": probe,
            "server": server,
            "outcome": outcome,
            "limit": limit,
            "offset": offset,
            "q": q,
            "vendor": vendor,
            "profile": profile,
            "label": label,
            "state": state,
        },
    )


def profile_list(
    *, q: str | None = None, limit: int | None = None, offset: int | None = None
) -> ApiCall[models.PageUnionProfileDictStrAny]:
    """List the profiles by name.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageUnionProfileDictStrAny,
        "GET",
        "/api/v1/profiles",
        query={"q": q, "limit": limit, "offset": offset},
    )


def profile_add(
    body: models.Profile,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Profile]:
    """Add a profile.

    Needs the role operator.
    """
    return ApiCall(
        models.Profile,
        "POST",
        "/api/v1/profiles",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def profile_remove(
    name: str,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Removed]:
    """Remove a profile that is not in use.

    Needs the role operator.
    """
    return ApiCall(
        models.Removed,
        "DELETE",
        f"/api/v1/profiles/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def profile_show(name: str) -> ApiCall[models.Profile]:
    """Show one of the profiles, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.Profile,
        "GET",
        f"/api/v1/profiles/{quoted(name)}",
    )


def profile_set(
    name: str,
    body: models.Profile,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Profile]:
    """Replace a profile; it may get another name.

    Needs the role operator.
    """
    return ApiCall(
        models.Profile,
        "PUT",
        f"/api/v1/profiles/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def replacement_list(
    *, rejected: bool | None = None, limit: int | None = None, offset: int | None = None
) -> ApiCall[models.PageReplacementView]:
    """List the cards that wait, the oldest first.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageReplacementView,
        "GET",
        "/api/v1/replacements",
        query={"rejected": rejected, "limit": limit, "offset": offset},
    )


def replacement_show(serial: str, *, vendor: str | None = None) -> ApiCall[models.ReplacementView]:
    """Show a card that waits, or was refused, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.ReplacementView,
        "GET",
        f"/api/v1/replacements/{quoted(serial)}",
        query={"vendor": vendor},
    )


def replacement_accept(
    serial: str,
    body: models.AcceptBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Accepted]:
    """Put a waiting card on record, in the place of the one in its slot.

    Needs the role operator.
    """
    return ApiCall(
        models.Accepted,
        "POST",
        f"/api/v1/replacements/{quoted(serial)}/accept",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def replacement_reject(
    serial: str,
    body: models.RejectBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.ReplacementView]:
    """Refuse a waiting card; it can still be accepted later.

    Needs the role operator.
    """
    return ApiCall(
        models.ReplacementView,
        "POST",
        f"/api/v1/replacements/{quoted(serial)}/reject",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def source_list() -> ApiCall[None]:
    """List the sources of truth of the site.

    Needs the role viewer.
    """
    return ApiCall(
        None,
        "GET",
        "/api/v1/sources",
    )


def source_release(
    body: models.SourceReleaseBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.SourceReleased]:
    """Take a chassis out of its source's hands: no sync changes it any more.

    Needs the role operator.
    """
    return ApiCall(
        models.SourceReleased,
        "POST",
        "/api/v1/sources/release",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def source_show(name: str) -> ApiCall[models.SourceView]:
    """Show a source, with the faults of its devices and its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.SourceView,
        "GET",
        f"/api/v1/sources/{quoted(name)}",
    )


def source_check(
    name: str,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[None]:
    """Check token, version, rights, filters and fields of a source.

    It changes nothing anywhere, with ``dry_run`` or without.

    Needs the role operator.
    """
    return ApiCall(
        None,
        "POST",
        f"/api/v1/sources/{quoted(name)}/check",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def source_sync(
    name: str,
    body: models.SourceOrderBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.SyncedView]:
    """Bring the inventory to what a source says, in one transaction; repeating it is harmless.

    Needs the role operator.
    """
    return ApiCall(
        models.SyncedView,
        "POST",
        f"/api/v1/sources/{quoted(name)}/sync",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def status_show() -> ApiCall[models.SiteStatus]:
    """Show the site at a glance.

    Needs the role viewer.
    """
    return ApiCall(
        models.SiteStatus,
        "GET",
        "/api/v1/status",
    )


def stranger_list(
    *, limit: int | None = None, before: int | None = None, ignored: bool | None = None
) -> ApiCall[models.CursorPageStrangerView]:
    """List callers that are no chassis on record, or did not prove to be one.

    Needs the role viewer.
    """
    return ApiCall(
        models.CursorPageStrangerView,
        "GET",
        "/api/v1/strangers",
        query={"limit": limit, "before": before, "ignored": ignored},
    )


def stranger_show(attempt: int) -> ApiCall[models.StrangerView]:
    """Show a caller that is no chassis on record, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.StrangerView,
        "GET",
        f"/api/v1/strangers/{quoted(attempt)}",
    )


def stranger_claim(
    attempt: int,
    body: models.ClaimBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.ClaimedView]:
    """Claim a stranger as a planned chassis: the box that was swapped. It must have proven itself.

    ``dry_run`` shows what was expected beside what was seen.

    Needs the role operator.
    """
    return ApiCall(
        models.ClaimedView,
        "POST",
        f"/api/v1/strangers/{quoted(attempt)}/claim",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def stranger_heed(
    attempt: int,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.IgnoredView]:
    """Show a serial number in the list of strangers again.

    Needs the role operator.
    """
    return ApiCall(
        models.IgnoredView,
        "DELETE",
        f"/api/v1/strangers/{quoted(attempt)}/ignore",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def stranger_ignore(
    attempt: int,
    body: models.IgnoreBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.IgnoredView]:
    """Leave a serial number out of the list of strangers.

    Needs the role operator.
    """
    return ApiCall(
        models.IgnoredView,
        "POST",
        f"/api/v1/strangers/{quoted(attempt)}/ignore",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def token_list(*, limit: int | None = None, offset: int | None = None) -> ApiCall[models.PageToken]:
    """List all tokens, also those that have ended.

    Needs the role admin.
    """
    return ApiCall(
        models.PageToken,
        "GET",
        "/api/v1/tokens",
        query={"limit": limit, "offset": offset},
    )


def token_add(
    body: models.AddToken,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.NewToken]:
    """Make a token; its secret is in this answer and nowhere else.

    Needs the role admin.
    """
    return ApiCall(
        models.NewToken,
        "POST",
        "/api/v1/tokens",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def token_show(key: int) -> ApiCall[models.Token]:
    """Show a token without its secret, with its ETag.

    Needs the role admin.
    """
    return ApiCall(
        models.Token,
        "GET",
        f"/api/v1/tokens/{quoted(key)}",
    )


def token_revoke(
    key: int,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Token]:
    """End a token at once.

    Needs the role admin.
    """
    return ApiCall(
        models.Token,
        "POST",
        f"/api/v1/tokens/{quoted(key)}/revoke",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def user_list(
    *, limit: int | None = None, offset: int | None = None
) -> ApiCall[models.PageUserView]:
    """List the accounts by name.

    Needs the role admin.
    """
    return ApiCall(
        models.PageUserView,
        "GET",
        "/api/v1/users",
        query={"limit": limit, "offset": offset},
    )


def user_add(
    body: models.AddUser,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.NewUser]:
    """Make an account, with a password or a one-time link.

    Needs the role admin.
    """
    return ApiCall(
        models.NewUser,
        "POST",
        "/api/v1/users",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def user_remove(
    name: str,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Removed]:
    """Remove an account with its sessions.

    Needs the role admin.
    """
    return ApiCall(
        models.Removed,
        "DELETE",
        f"/api/v1/users/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def user_show(name: str) -> ApiCall[models.UserView]:
    """Show an account, with its ETag.

    Needs the role admin.
    """
    return ApiCall(
        models.UserView,
        "GET",
        f"/api/v1/users/{quoted(name)}",
    )


def user_set(
    name: str,
    body: models.SetUser,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.UserView]:
    """Change an account; a new role or password, and disabling, end its sessions.

    Needs the role admin.
    """
    return ApiCall(
        models.UserView,
        "PATCH",
        f"/api/v1/users/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def vendor_list(
    *, q: str | None = None, limit: int | None = None, offset: int | None = None
) -> ApiCall[models.PageUnionVendorViewDictStrAny]:
    """List the vendors by name.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageUnionVendorViewDictStrAny,
        "GET",
        "/api/v1/vendors",
        query={"q": q, "limit": limit, "offset": offset},
    )


def vendor_add(
    body: models.VendorView,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.VendorView]:
    """Add a vendor.

    Needs the role security.
    """
    return ApiCall(
        models.VendorView,
        "POST",
        "/api/v1/vendors",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def vendor_remove(
    name: str,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Removed]:
    """Remove a vendor that is not in use.

    Needs the role security.
    """
    return ApiCall(
        models.Removed,
        "DELETE",
        f"/api/v1/vendors/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def vendor_show(name: str) -> ApiCall[models.VendorView]:
    """Show one of the vendors, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.VendorView,
        "GET",
        f"/api/v1/vendors/{quoted(name)}",
    )


def vendor_set(
    name: str,
    body: models.VendorView,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.VendorView]:
    """Replace a vendor; it may get another name.

    Needs the role security.
    """
    return ApiCall(
        models.VendorView,
        "PUT",
        f"/api/v1/vendors/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def voucher_remove(
    *,
    serial_number: str,
    vendor: str | None = None,
    sha256: str | None = None,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.RemovedVouchers]:
    """Remove the vouchers of a card, or one of them by its digest.

    Needs the role operator.
    """
    return ApiCall(
        models.RemovedVouchers,
        "DELETE",
        "/api/v1/vouchers",
        query={
            "serial_number": serial_number,
            "vendor": vendor,
            "sha256": sha256,
            "dry_run": dry_run,
        },
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def voucher_list(
    *,
    serial_number: str | None = None,
    vendor: str | None = None,
    expiring_before: AwareDatetime | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> ApiCall[models.PageVoucher]:
    """List vouchers by serial number, of one card the newest first.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageVoucher,
        "GET",
        "/api/v1/vouchers",
        query={
            "serial_number": serial_number,
            "vendor": vendor,
            "expiring_before": expiring_before,
            "limit": limit,
            "offset": offset,
        },
    )


def voucher_fetch_list(
    *, limit: int | None = None, offset: int | None = None
) -> ApiCall[models.PageVoucherFetchView]:
    """List requests to fetch vouchers, the newest first.

    Needs the role viewer.
    """
    return ApiCall(
        models.PageVoucherFetchView,
        "GET",
        "/api/v1/vouchers/fetches",
        query={"limit": limit, "offset": offset},
    )


def voucher_fetch(
    body: models.VoucherFetchBody,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.VoucherFetchView]:
    """Ask the server to fetch vouchers now; it opens the keys that are needed, the API does not.

    A request for the same cards that has not ended is joined.

    Needs the role operator.
    """
    return ApiCall(
        models.VoucherFetchView,
        "POST",
        "/api/v1/vouchers/fetches",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def voucher_fetch_show(key: int) -> ApiCall[models.VoucherFetchView]:
    """Show how far a request to fetch vouchers is, with its ETag.

    Needs the role viewer.
    """
    return ApiCall(
        models.VoucherFetchView,
        "GET",
        f"/api/v1/vouchers/fetches/{quoted(key)}",
    )


def voucher_show(sha256: str) -> ApiCall[models.Voucher]:
    """Show a voucher, with its ETag: a voucher never changes.

    Needs the role viewer.
    """
    return ApiCall(
        models.Voucher,
        "GET",
        f"/api/v1/vouchers/{quoted(sha256)}",
    )


def webhook_list(
    *, limit: int | None = None, offset: int | None = None
) -> ApiCall[models.PageWebhookView]:
    """List the webhooks by name.

    Needs the role admin.
    """
    return ApiCall(
        models.PageWebhookView,
        "GET",
        "/api/v1/webhooks",
        query={"limit": limit, "offset": offset},
    )


def webhook_add(
    body: models.AddWebhook,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.NewWebhook]:
    """Make a webhook for what happens from now on; a new secret is in this answer alone.

    Needs the role admin.
    """
    return ApiCall(
        models.NewWebhook,
        "POST",
        "/api/v1/webhooks",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def webhook_remove(
    name: str,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Removed]:
    """Remove a webhook with all that waits for it.

    Needs the role admin.
    """
    return ApiCall(
        models.Removed,
        "DELETE",
        f"/api/v1/webhooks/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )


def webhook_show(name: str) -> ApiCall[models.WebhookView]:
    """Show a webhook without its secret, with its ETag.

    Needs the role admin.
    """
    return ApiCall(
        models.WebhookView,
        "GET",
        f"/api/v1/webhooks/{quoted(name)}",
    )


def webhook_set(
    name: str,
    body: models.SetWebhook,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.WebhookView]:
    """Change a webhook; one that is enabled again goes on where it stopped.

    Needs the role admin.
    """
    return ApiCall(
        models.WebhookView,
        "PATCH",
        f"/api/v1/webhooks/{quoted(name)}",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def webhook_deliveries(
    name: str,
    *,
    state: Literal["waiting", "dead"] | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> ApiCall[models.CursorPageDeliveryView]:
    """List what has not arrived, in its order.

    Needs the role admin.
    """
    return ApiCall(
        models.CursorPageDeliveryView,
        "GET",
        f"/api/v1/webhooks/{quoted(name)}/deliveries",
        query={"state": state, "after": after, "limit": limit},
    )


def webhook_resend(
    name: str,
    body: models.ResendDeliveries,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.Resent]:
    """Send again what was given up, and try at once what waits.

    Needs the role admin.
    """
    return ApiCall(
        models.Resent,
        "POST",
        f"/api/v1/webhooks/{quoted(name)}/resend",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
        json=written(body),
    )


def webhook_test(
    name: str,
    *,
    dry_run: bool | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> ApiCall[models.TrialView]:
    """Send a message of the type ``bootz.test`` now, and wait for the receiver's answer.

    ``dry_run`` sends nothing and says where it would go.

    Needs the role admin.
    """
    return ApiCall(
        models.TrialView,
        "POST",
        f"/api/v1/webhooks/{quoted(name)}/test",
        query={"dry_run": dry_run},
        headers={"if-match": if_match, "idempotency-key": idempotency_key},
    )
