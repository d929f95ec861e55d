"""The manufacturer's own verbs: what its staff enters, checked before it is stored.

Groups, roles and certificates go through the same ledger as a customer's call, with the power
of SUPPORT. One ``Records`` lives as long as its transaction, so that an import is all or nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bootz.errors import BootzError, ConfigError, ConflictError
from bootz.masa.ledger.access import Access, Rules
from bootz.masa.ledger.certificates import create_certificate
from bootz.masa.ledger.components import add_serial
from bootz.masa.ledger.groups import create_group
from bootz.masa.ledger.nouns import (
    ANY_ORG,
    ORG_PREFIX,
    AccountType,
    Component,
    ComponentName,
    Delegation,
    DomainCert,
    Group,
    Requester,
    Role,
    User,
)
from bootz.masa.ledger.roles import add_role, remove_role
from bootz.masa.store.book import SqlBook
from bootz.masa.store.directory import Directory
from bootz.masa.tokens import check_given, digest_of, new_token
from bootz.model.nearest import did_you_mean

_ORG_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USERNAME: Final = re.compile(r"[!-~]{1,256}")
_MAC: Final = re.compile(
    r"[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}|([0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"
)
_SERIAL: Final = re.compile(r"[!-~]([ -~]{0,62}[!-~])?")

_STAFF: Final = User("manufacturer", AccountType.SERVICE_ACCOUNT, "")


class Records:
    """The manufacturer's records over one writing transaction."""

    def __init__(self, connection: Connection, *, rules: Rules, now: datetime) -> None:
        self._connection = connection
        self._rules = rules
        self._now = now
        self.book = SqlBook(connection)
        self.directory = Directory(connection)

    @contextmanager
    def row(self) -> Iterator[None]:
        """A part of the transaction that an error undoes alone."""
        with self._connection.begin_nested():
            yield

    def add_org(self, name: str, description: str = "") -> str:
        """Make an organisation with its root group; return the id, which both share.

        Raises:
            ConfigError: the name is invalid.
            ConflictError: it is there already.
        """
        bare = name.removeprefix(ORG_PREFIX)
        if not _ORG_NAME.fullmatch(bare):
            raise _invalid("org", "may only have letters, digits and . _ -, at most 64", name)
        org_id = ORG_PREFIX + bare
        with _new(f"organisation {org_id}"):
            self.directory.add_org(org_id, description or bare, self._now)
        return org_id

    def org_id(self, name: str) -> str:
        """Return the id of an organisation that is named by id or name.

        Raises:
            ConfigError: there is none.
        """
        org_id = ORG_PREFIX + name.removeprefix(ORG_PREFIX)
        if not self.book.has_org(org_id):
            raise _unknown("organisation", name)
        return org_id

    def add_user(self, user: User, *, support: bool = False) -> None:
        """Make an account.

        Raises:
            ConfigError: the name is invalid, or there is no such organisation.
            ConflictError: it is there already.
        """
        if not _USERNAME.fullmatch(user.username):
            raise _invalid("username", "must have 1 to 256 visible characters", user.username)
        self.org_id(user.org_id)
        with _new(f"user {user}"):
            self.directory.add_account(user, support=support)

    def remove_user(self, user: User) -> None:
        """Remove an account with its roles and tokens.

        Raises:
            ConfigError: there is none.
        """
        if not self.directory.remove_account(user):
            raise _unknown("user", str(user))

    def add_token(
        self,
        user: User,
        *,
        given: str | None = None,
        label: str = "",
        expires_at: datetime | None = None,
    ) -> tuple[int, str]:
        """Give a user a token; return its id and the token, which is stored as a digest only.

        Raises:
            ConfigError: no such user, an invalid token, or one that has expired.
            ConflictError: the token is already used.
        """
        if not self.book.has_account(user):
            raise _unknown("user", str(user))
        if expires_at is not None and expires_at <= self._now:
            raise _invalid("expires", "is not in the future", expires_at.isoformat())
        token = new_token() if given is None else check_given(given)
        token_id = self.directory.add_token(
            user, digest_of(token), label=label, now=self._now, expires_at=expires_at
        )
        if token_id is None:
            raise ConflictError("masa-record-exists", "the token is already used", where="token")
        return token_id, token

    def remove_token(self, token_id: int) -> None:
        """Revoke a token.

        Raises:
            ConfigError: there is none.
        """
        if not self.directory.remove_token(token_id):
            raise _unknown("token", str(token_id))

    def add_component(self, component: Component) -> None:
        """Record a component that an organisation owns, with the child group it is in.

        Raises:
            ConfigError: a field does not fit, or names what is not there.
            ConflictError: the serial number is in the inventory already, in any case.
        """
        self._check_component(component)
        with _new(f"component {component.name}"):
            self.directory.add_component(
                Component(
                    name=component.name,
                    org_id=component.org_id,
                    model=component.model,
                    mac_address=component.mac_address,
                    tpm=component.tpm,
                    idevid_issuer=component.idevid_issuer,
                )
            )
        if component.child_group_id is not None:
            add_serial(self._access(), component.name, component.child_group_id)

    def change_component(self, component: Component) -> None:
        """Overwrite what is recorded of a component; one that changes hands leaves its group.

        Raises:
            ConfigError: a field does not fit, or there is no such component.
        """
        self._check_component(component)
        if self.book.component(component.name) is None:
            raise self._unknown_component(component.name)
        self.directory.change_component(component)

    def remove_component(self, name: ComponentName) -> None:
        """Remove a component; the log of its vouchers is kept.

        Raises:
            ConfigError: there is none.
        """
        if not self.directory.remove_component(name):
            raise self._unknown_component(name)

    def component(self, name: ComponentName) -> Component:
        """Return a component.

        Raises:
            ConfigError: there is none.
        """
        found = self.book.component(name)
        if found is None:
            raise self._unknown_component(name)
        return found

    def _unknown_component(self, name: ComponentName) -> BootzError:
        """Return the error, with the serial numbers of that manufacturer that may be meant."""
        known = (each.name for each in self.directory.components(None))
        meant = did_you_mean(
            name.serial_number, [each.serial_number for each in known if each.ien == name.ien]
        )
        return ConfigError(
            "masa-record-unknown", f"there is no such component{meant}", where=str(name)
        )

    def group_id(self, path: str) -> str:
        """Return the id of a group that is named by id, or by org and descriptions with slashes.

        Raises:
            ConfigError: there is none.
        """
        if self.book.path(path):
            return path
        org, *descriptions = path.split("/")
        group_id = self.org_id(org)
        for description in descriptions:
            found = self.directory.child_called(group_id, description)
            if found is None:
                raise _unknown("group", path)
            group_id = found
        return group_id

    def add_group(self, parent_id: str, description: str) -> Group:
        """Make a group below another.

        Raises:
            LedgerError: as CreateGroup.
        """
        return create_group(self._access(), parent_id, description, new_id=f"group-{uuid4()}")

    def add_role(self, user: User, group_id: str, role: Role) -> None:
        """Give a user a role on a group.

        Raises:
            LedgerError: as AddUserRole.
        """
        add_role(self._access(), user, group_id, role)

    def remove_role(self, user: User, group_id: str) -> None:
        """Remove a user's role on a group.

        Raises:
            LedgerError: as RemoveUserRole.
        """
        remove_role(self._access(), user, group_id)

    def add_delegation(self, group_id: str, org: str) -> None:
        """Delegate a group to an organisation, for its owner.

        Raises:
            BootzError: no such group or organisation, its own, or delegated already.
        """
        group = self._access().path(group_id)[-1]
        org_id = ANY_ORG if org == ANY_ORG else self.org_id(org)
        if org_id == group.org_id:
            raise _invalid("delegation", "does not belong to the owner's organisation", org)
        delegation = Delegation(group_id, org_id)
        if delegation in self.book.delegations([group_id]):
            raise ConflictError(
                "masa-record-exists", f"it is delegated to {org_id}", where=group_id
            )
        self.book.add_delegation(delegation)

    def add_certificate(
        self, group_id: str, certificate: bytes, *, revocation_checks: bool, expires_at: datetime
    ) -> DomainCert:
        """Register a domain certificate (DER) in a group.

        Raises:
            LedgerError: as CreateDomainCert.
        """
        return create_certificate(
            self._access(),
            group_id,
            certificate,
            revocation_checks=revocation_checks,
            expires_at=expires_at,
            new_id=f"cert-{uuid4()}",
            now=self._now,
        )

    def _access(self) -> Access:
        return Access(self.book, Requester(_STAFF, support=True), self._rules)

    def _check_component(self, component: Component) -> None:
        name = component.name
        if name.ien not in self._rules.served_iens:
            raise ConfigError(
                "masa-record-invalid",
                "is not served by this MASA",
                where="ien",
                expected=", ".join(sorted(self._rules.served_iens)),
                seen=name.ien,
            )
        if not _SERIAL.fullmatch(name.serial_number):
            raise _invalid(
                "serial",
                "must have 1 to 64 printable ASCII characters, without spaces at the ends",
                name.serial_number,
            )
        if component.mac_address and not _MAC.fullmatch(component.mac_address):
            raise _invalid(
                "mac", "is not a MAC address like 02:00:00:00:00:01", component.mac_address
            )
        if component.tpm.endorsement_key and component.tpm.ek_certificate:
            raise _invalid(
                "tpm", "must have an endorsement key or its certificate, not both", "both"
            )
        self.org_id(component.org_id)


@contextmanager
def _new(what: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(
            "masa-record-exists", "it is in the inventory already", where=what
        ) from error


def _invalid(field: str, detail: str, seen: str) -> ConfigError:
    return ConfigError("masa-record-invalid", detail, where=field, seen=seen)


def _unknown(kind: str, name: str) -> BootzError:
    return ConfigError("masa-record-unknown", f"there is no such {kind}", where=name)
