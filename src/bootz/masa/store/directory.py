"""Organisations, accounts, tokens and components: what only the manufacturer may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bootz.masa.ledger.nouns import Component, ComponentName, Group, Requester, User
from bootz.masa.store.book import is_account, is_component
from bootz.masa.store.rows import component_of, group_of, user_of
from bootz.masa.store.schema import ACCOUNT, COMPONENT, GROUP, MEMBER, ORG, TOKEN
from bootz.masa.tokens import TokenDigest
from bootz.model.chassis import fold_serial
from bootz.sql.times import from_text, to_text


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as it is listed: never the token itself."""

    token_id: int
    user: User
    label: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whom a token stands for, and until when."""

    token_id: int
    caller: Requester
    expires_at: datetime | None


class Directory:
    """The directory over one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_org(self, org_id: str, description: str, now: datetime) -> None:
        """Write an organisation with its root group."""
        self._connection.execute(insert(ORG).values(org_id=org_id, created_at=to_text(now)))
        self._connection.execute(
            insert(GROUP).values(
                group_id=org_id, org_id=org_id, parent_id=None, description=description
            )
        )

    def orgs(self) -> tuple[str, ...]:
        """Return the ids of all organisations, sorted."""
        return tuple(self._connection.scalars(select(ORG.c.org_id).order_by(ORG.c.org_id)))

    def groups(self, org_id: str) -> tuple[Group, ...]:
        """Return the groups of an organisation, sorted by id."""
        statement = select(GROUP).where(GROUP.c.org_id == org_id).order_by(GROUP.c.group_id)
        return tuple(group_of(row) for row in self._connection.execute(statement).mappings())

    def child_called(self, parent_id: str, description: str) -> str | None:
        """Return the group directly below a parent that has a description."""
        statement = select(GROUP.c.group_id).where(
            GROUP.c.parent_id == parent_id, GROUP.c.description == description
        )
        return self._connection.scalar(statement)

    def add_account(self, user: User, *, support: bool) -> None:
        """Write an account."""
        self._connection.execute(
            insert(ACCOUNT).values(
                username=user.username,
                account_type=user.account_type.value,
                org_id=user.org_id,
                support=support,
            )
        )

    def remove_account(self, user: User) -> bool:
        """Remove an account with its roles and tokens; False when there is none."""
        return self._connection.execute(delete(ACCOUNT).where(is_account(user))).rowcount > 0

    def accounts(self) -> tuple[Requester, ...]:
        """Return all accounts, sorted."""
        statement = select(ACCOUNT).order_by(
            ACCOUNT.c.org_id, ACCOUNT.c.username, ACCOUNT.c.account_type
        )
        rows = self._connection.execute(statement).mappings()
        return tuple(Requester(user_of(row), support=row["support"]) for row in rows)

    def roles(self) -> Mapping[User, Mapping[str, int]]:
        """Return the roles of all accounts by group."""
        found: dict[User, dict[str, int]] = {}
        statement = select(ACCOUNT, MEMBER.c.group_id, MEMBER.c.role).join_from(MEMBER, ACCOUNT)
        for row in self._connection.execute(statement).mappings():
            found.setdefault(user_of(row), {})[row["group_id"]] = row["role"]
        return found

    def add_token(
        self,
        user: User,
        digest: TokenDigest,
        *,
        label: str,
        now: datetime,
        expires_at: datetime | None,
    ) -> int | None:
        """Write a token and return its id; None when the same token is in the inventory already."""
        account = select(ACCOUNT.c.id).where(is_account(user)).scalar_subquery()
        statement = insert(TOKEN).values(
            account_id=account,
            digest=digest,
            label=label,
            created_at=to_text(now),
            expires_at=None if expires_at is None else to_text(expires_at),
        )
        try:
            with self._connection.begin_nested():
                return int(self._connection.scalar(statement.returning(TOKEN.c.id)) or 0)
        except IntegrityError:
            return None

    def remove_token(self, token_id: int) -> bool:
        """Revoke a token; False when there is none."""
        return self._connection.execute(delete(TOKEN).where(TOKEN.c.id == token_id)).rowcount > 0

    def tokens(self) -> tuple[TokenRecord, ...]:
        """Return all tokens by id."""
        statement = select(TOKEN, ACCOUNT.c.username, ACCOUNT.c.account_type, ACCOUNT.c.org_id)
        rows = self._connection.execute(statement.join_from(TOKEN, ACCOUNT).order_by(TOKEN.c.id))
        return tuple(
            TokenRecord(
                token_id=row["id"],
                user=user_of(row),
                label=row["label"],
                created_at=from_text(row["created_at"]),
                expires_at=_optional(row["expires_at"]),
            )
            for row in rows.mappings()
        )

    def holder_of(self, digest: TokenDigest) -> TokenHolder | None:
        """Return whom a token stands for, be it expired or not."""
        statement = (
            select(
                TOKEN.c.id.label("token_id"),
                TOKEN.c.expires_at,
                ACCOUNT.c.username,
                ACCOUNT.c.account_type,
                ACCOUNT.c.org_id,
                ACCOUNT.c.support,
            )
            .join_from(TOKEN, ACCOUNT)
            .where(TOKEN.c.digest == digest)
        )
        row = self._connection.execute(statement).mappings().one_or_none()
        if row is None:
            return None
        caller = Requester(user_of(row), support=row["support"])
        return TokenHolder(row["token_id"], caller, _optional(row["expires_at"]))

    def add_component(self, component: Component) -> None:
        """Write a component."""
        self._connection.execute(insert(COMPONENT).values(**_columns(component)))

    def change_component(self, component: Component) -> None:
        """Overwrite a component; its serial number's spelling, too."""
        self._connection.execute(
            update(COMPONENT).where(is_component(component.name)).values(**_columns(component))
        )

    def remove_component(self, name: ComponentName) -> bool:
        """Remove a component; False when there is none."""
        return self._connection.execute(delete(COMPONENT).where(is_component(name))).rowcount > 0

    def components(self, org_id: str | None = None) -> tuple[Component, ...]:
        """Return the components of an organisation, or of all."""
        statement = select(COMPONENT).order_by(COMPONENT.c.ien, COMPONENT.c.serial)
        if org_id is not None:
            statement = statement.where(COMPONENT.c.org_id == org_id)
        return tuple(component_of(row) for row in self._connection.execute(statement).mappings())


def _columns(component: Component) -> dict[str, object]:
    return {
        "ien": component.name.ien,
        "serial": component.name.serial_number,
        "serial_folded": fold_serial(component.name.serial_number),
        "org_id": component.org_id,
        "child_group_id": component.child_group_id,
        "model": component.model,
        "mac_address": component.mac_address,
        "endorsement_key": component.tpm.endorsement_key,
        "ek_certificate": component.tpm.ek_certificate,
        "platform_primary_key": component.tpm.platform_primary_key,
        "idevid_issuer": component.idevid_issuer,
    }


def _optional(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
