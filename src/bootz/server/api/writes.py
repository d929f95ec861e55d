"""Changes by the API: all or nothing, tried on request, repeated without doing twice.

``dry_run`` does everything and undoes it. ``If-Match`` holds a change to what its sender has
read. ``Idempotency-Key`` makes a repeated request return the first answer: the answer is stored in
the transaction that makes the change, so that one is never there without the other.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection, delete, insert, or_, select

from bootz.errors import ConflictError, OperatorError, WireError
from bootz.server.api.context import Door, DoorDep, Principal
from bootz.server.operations.texts import dump_json, load_object
from bootz.server.store.rehearsal import finish_rehearsed
from bootz.server.store.schema import IDEMPOTENT_ANSWER
from bootz.sql.times import to_text

KEPT_FOR: Final = timedelta(hours=24)
"""How long the answer to an Idempotency-Key is kept."""
DRY_RUN_HEADER: Final = "X-Bootz-Dry-Run"
"""Says of an answer that nothing of it was done."""
MAX_BODY: Final = 32 << 20
"""Bytes of a request's body; image files come by a route of their own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a change answers: a body that is JSON, None for none.

    ``kept`` is false for an answer with a secret that is shown once: no copy of it is stored.
    ``rendered`` are the body's bytes, where they were made before.
    """

    body: BaseModel | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bool = True
    rendered: bytes | None = None

    def content(self) -> bytes:
        """Return the body's bytes."""
        if self.rendered is not None:
            return self.rendered
        return b"" if self.body is None else self.body.model_dump_json().encode()

    def response(self) -> Response:
        """Return it as an answer to a request."""
        return _response(self.status, self.headers, self.content())


async def body_digest(request: Request) -> str:
    """Return the SHA-256 of the request's body."""
    return hashlib.sha256(await request.body()).hexdigest()


class Change:
    """One request that changes something; fills from the request."""

    def __init__(
        self,
        request: Request,
        door: DoorDep,
        digest: Annotated[str, Depends(body_digest)],
        dry_run: Annotated[bool, Query(description="Do everything, then undo it.")] = False,
        if_match: Annotated[str | None, Header(description="The ETag that was read.")] = None,
        idempotency_key: Annotated[
            str | None,
            Header(min_length=1, max_length=255, description="Repeats return the first answer."),
        ] = None,
    ) -> None:
        self._request = request
        self._door: Door = door
        self._body_digest = digest
        self.dry_run = dry_run
        self._if_match = if_match
        self._matched = False
        self._key = idempotency_key

    def run(
        self, principal: Principal, doing: str, work: Callable[[Connection], Answer]
    ) -> Response:
        """Do the work in one transaction and return its answer.

        Raises:
            BootzError: whatever the work raises; nothing has changed then.
            ConflictError: ``idempotency-key-reused``.
            WireError: ``request-invalid``: there is an If-Match, and nothing that has an ETag.
        """

        def work_here(connection: Connection) -> Answer:
            answer = work(connection)
            if self.dry_run:
                connection.rollback()
            return answer

        with self._door.database.write(principal.actor(doing)) as connection:
            return self._finished(principal, connection, work_here)

    def run_rehearsed(
        self, principal: Principal, doing: str, work: Callable[[Connection], Answer]
    ) -> Response:
        """Do long work as ``run`` does, holding up other writers for a moment only.

        ``work`` may be done several times, on other connections too (``finish_rehearsed``).

        Raises:
            BootzError: as ``run``.
        """
        kept = self._kept_apart(principal, None)
        if kept is not None:
            return kept

        def rendered(connection: Connection) -> Answer:
            answer = work(connection)
            # Before the transaction that others wait for.
            return replace(answer, rendered=answer.content())

        return finish_rehearsed(
            self._door.database,
            principal.actor(doing),
            rendered,
            keeps=lambda _answer: not self.dry_run,
            finish=partial(self._finished, principal),
        )

    def _finished(
        self,
        principal: Principal,
        connection: Connection,
        work: Callable[[Connection], Answer],
    ) -> Response:
        """Do the work, unless it was done before, and keep its answer; ``work`` undoes a trial."""
        kept = self._kept(connection, principal)
        if kept is not None:
            return kept
        answer = work(connection)
        if self._if_match is not None and not self._matched:
            # A condition that is passed over would lose the change of another.
            raise WireError(
                "request-invalid",
                "what this changes has no ETag of its own; send it without If-Match",
                where="header.If-Match",
            )
        if not self.dry_run and answer.kept:
            self._keep(connection, principal, answer)
        return self._answered(answer)

    def run_outside(self, principal: Principal, work: Callable[[], Answer]) -> Response:
        """Do work that asks other systems, which no transaction may wait for; return its answer.

        ``work`` checks what it is held to itself, and heeds ``dry_run``. Of two such requests at
        once with one Idempotency-Key both are done, and the first answer is given to both.

        Raises:
            BootzError: whatever the work raises.
            ConflictError: ``idempotency-key-reused``.
        """
        kept = self._kept_apart(principal, None)
        if kept is not None:
            return kept
        answer = work()
        if not self.dry_run:
            kept = self._kept_apart(principal, answer)
        return kept or self._answered(answer)

    def check_match(self, document: Mapping[str, Any]) -> None:
        """Refuse a change of something that is not what the caller has read.

        Raises:
            OperatorError: ``etag-stale``.
        """
        self._matched = True
        check_etag(self._if_match, document)

    def _answered(self, answer: Answer) -> Response:
        tried = {DRY_RUN_HEADER: "true"} if self.dry_run else {}
        return _response(answer.status, {**answer.headers, **tried}, answer.content())

    def _kept_apart(self, principal: Principal, answer: Answer | None) -> Response | None:
        """Return the answer that the key already has; where it has none, keep this one."""
        if self._key is None:
            return None
        with self._door.database.write() as connection:
            kept = self._kept(connection, principal)
            if kept is None and answer is not None:
                self._keep(connection, principal, answer)
        return kept

    def _kept(self, connection: Connection, principal: Principal) -> Response | None:
        if self._key is None:
            return None
        now = self._door.clock()
        at = IDEMPOTENT_ANSWER.c.at
        # The clock may have been set back: what is ahead by less counts as just made.
        ended = or_(at < to_text(now - KEPT_FOR), at > to_text(now + KEPT_FOR))
        connection.execute(delete(IDEMPOTENT_ANSWER).where(ended))
        row = connection.execute(
            select(IDEMPOTENT_ANSWER).where(
                IDEMPOTENT_ANSWER.c.principal == principal.name,
                IDEMPOTENT_ANSWER.c.key == self._key,
            )
        ).first()
        if row is None:
            return None
        if row.request != self._fingerprint():
            raise ConflictError(
                "idempotency-key-reused",
                "it was sent with another request",
                where="Idempotency-Key",
            )
        headers = {name: str(value) for name, value in load_object(row.headers).items()}
        return _response(row.status, {**headers, "Idempotency-Replayed": "true"}, row.body)

    def _keep(self, connection: Connection, principal: Principal, answer: Answer) -> None:
        if self._key is None:
            return
        connection.execute(
            insert(IDEMPOTENT_ANSWER).values(
                principal=principal.name,
                key=self._key,
                request=self._fingerprint(),
                status=answer.status,
                headers=dump_json(dict(answer.headers)),
                body=answer.content(),
                at=to_text(self._door.clock()),
            )
        )

    def _fingerprint(self) -> str:
        url = self._request.url
        told = "\x00".join((self._request.method, url.path, url.query, self._body_digest))
        return hashlib.sha256(told.encode()).hexdigest()


def check_etag(given: str | None, document: Mapping[str, Any]) -> None:
    """Refuse what an If-Match header does not name; None and ``*`` name everything.

    Raises:
        OperatorError: ``etag-stale``.
    """
    if given is None or given.strip() == "*":
        return
    now = etag(document)
    if now not in {tag.strip() for tag in given.split(",")}:
        raise OperatorError(
            "etag-stale", "it has changed since", where="If-Match", expected=now, seen=given[:256]
        )


def tagged(view: BaseModel, document: Mapping[str, Any] | None = None, status: int = 200) -> Answer:
    """Return an answer with the ETag of a document, None: of all that is shown."""
    told = view.model_dump(mode="json") if document is None else document
    return Answer(view, status, {"ETag": etag(told)})


def etag(document: Mapping[str, Any]) -> str:
    """Return the entity tag of a document: the same for the same content."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _response(status: int, headers: Mapping[str, str], content: bytes) -> Response:
    media = "application/json" if content else None
    return Response(content, status, headers=dict(headers), media_type=media)


ChangeDep = Annotated[Change, Depends(Change)]
