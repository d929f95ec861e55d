"""Tokens: absent, wrong, late, doubled; and nothing of them in what is stored or logged."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from grpclib.const import Status
from masa.world import ACME, NOW, Client, new_world, serving, user, with_client
from structlog.testing import capture_logs

from bootz.errors import ConfigError, ConflictError
from bootz.masa.tokens import digest_of, new_token
from bootz.wire.ovgs import messages as pb

REQUEST = pb.GetGroupRequest(group_id=ACME)
GOOD = "GOOD"


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ([], "token-missing"),
        ([("authorization", "Bearer")], "token-missing"),
        ([("authorization", GOOD)], "token-missing"),
        ([("authorization", f"Basic {GOOD}")], "token-missing"),
        ([("cookie", f"access_token={GOOD}")], "token-missing"),
        ([("x-token", GOOD)], "token-missing"),
        ([("authorization", "Bearer wrong")], "token-unknown"),
        ([("authorization", f"Bearer {GOOD}x")], "token-unknown"),
        ([("authorization", f"Bearer {GOOD.lower()}")], "token-unknown"),
        ([("authorization", "Bearer ' OR 1=1 --")], "token-unknown"),
        ([("authorization", "Bearer " + "x" * 5000)], "token-unknown"),
        (
            [("authorization", f"Bearer {GOOD}"), ("authorization", f"Bearer {GOOD}")],
            "token-unknown",
        ),
    ],
)
def test_a_call_without_its_token_is_refused(
    tmp_path: Path, metadata: list[tuple[str, str]], reason: str
) -> None:
    world = new_world(tmp_path)
    good = world.tokens["alice"]
    given = [(name, value.replace(GOOD, good)) for name, value in metadata]
    given = [(name, value.replace(GOOD.lower(), good.lower())) for name, value in given]

    async def use(client: Client) -> tuple[Status, str]:
        return await client.refused(None, "GetGroup", REQUEST, metadata=given)

    with capture_logs() as logs:
        assert with_client(world, use) == (Status.UNAUTHENTICATED, reason)
    assert good not in repr(logs)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(tmp_path: Path, scheme: str) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> str:
        metadata = [("authorization", f"{scheme} {world.tokens['alice']}")]
        answer = await client.call(None, "GetGroup", REQUEST, metadata=metadata)
        return str(answer.group_id)

    assert with_client(world, use) == ACME


def test_cookies_count_where_they_are_enabled(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> str:
        metadata = [("cookie", f"a=b; access_token={world.tokens['alice']}")]
        answer = await client.call(None, "GetGroup", REQUEST, metadata=metadata)
        return str(answer.group_id)

    assert with_client(world, use, cookies=True) == ACME


def test_a_token_of_another_org_reaches_nothing_here(tmp_path: Path) -> None:
    world = new_world(tmp_path)

    async def use(client: Client) -> tuple[Status, str]:
        return await client.refused("mallory", "GetGroup", REQUEST)

    assert with_client(world, use)[0] is Status.PERMISSION_DENIED


def test_a_token_ends_at_its_expiry_and_when_it_is_revoked(tmp_path: Path) -> None:
    times = [NOW]
    world = new_world(tmp_path, clock=lambda: times[-1])

    async def use(client: Client) -> None:
        await client.call("late", "GetGroup", REQUEST)
        times.append(NOW + timedelta(seconds=1))
        refused = await client.refused("late", "GetGroup", REQUEST)
        assert refused == (Status.UNAUTHENTICATED, "token-expired")
        await client.call("alice", "GetGroup", REQUEST)
        with world.folder.records() as records:
            for token in records.directory.tokens():
                if token.user == user("alice"):
                    records.remove_token(token.token_id)
        refused = await client.refused("alice", "GetGroup", REQUEST)
        assert refused == (Status.UNAUTHENTICATED, "token-unknown")
        # An account that goes takes its tokens with it.
        with world.folder.records() as records:
            records.remove_user(user("ada"))
        refused = await client.refused("ada", "GetGroup", REQUEST)
        assert refused == (Status.UNAUTHENTICATED, "token-unknown")

    with_client(world, use)


def test_no_token_is_stored(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.folder.close()
    stored = b"".join(path.read_bytes() for path in world.folder.path.glob("masa.db*"))
    assert user("alice").username.encode() in stored
    for token in world.tokens.values():
        assert token.encode() not in stored


def test_tokens_are_long_and_never_the_same() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) >= 43
    assert len({digest_of(token) for token in made}) == 100


@pytest.mark.parametrize(
    "given", ["short", "x" * 5000, "with space and more", "ümlaut-token-123456"]
)
def test_a_given_token_that_no_header_carries_is_refused(tmp_path: Path, given: str) -> None:
    world = new_world(tmp_path)
    with pytest.raises(ConfigError) as caught, world.folder.records() as records:
        records.add_token(user("alice"), given=given)
    assert given not in str(caught.value)
    world.folder.close()


def test_one_token_stands_for_one_user(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    given = "a-token-that-was-given"
    with world.folder.records() as records:
        records.add_token(user("alice"), given=given)
    with pytest.raises(ConflictError), world.folder.records() as records:
        records.add_token(user("bob"), given=given)
    world.folder.close()


def test_broken_messages_are_invalid_arguments(tmp_path: Path) -> None:
    """Also behind a good token: bytes that are no message, and Timestamps out of range."""
    import asyncio

    from google.protobuf.timestamp_pb2 import Timestamp
    from grpclib.client import UnaryUnaryMethod
    from grpclib.exceptions import GRPCError

    from bootz.wire.ovgs import method_path

    world = new_world(tmp_path)

    async def run() -> None:
        async with serving(world) as (client, _):
            for lifetime in (Timestamp(seconds=1 << 62), Timestamp(nanos=-1)):
                request = pb.GetOwnershipVoucherRequest(
                    component=pb.Component(ien="9", serial_number="S2"),
                    cert_id=world.certs["lab"],
                    lifetime=lifetime,
                )
                status, _ = await client.refused("alice", "GetOwnershipVoucher", request)
                assert status is Status.INVALID_ARGUMENT
            # A Timestamp whose seconds are a text: right bytes of a wrong message.
            wrong = pb.Component(ien="\x08", serial_number="x")
            raw = UnaryUnaryMethod(
                client._channel, method_path("AddSerial"), pb.Component, pb.AddSerialResponse
            )
            with pytest.raises(GRPCError) as caught:
                await raw(wrong, metadata=[("authorization", f"Bearer {world.tokens['alice']}")])
            assert caught.value.status is Status.INVALID_ARGUMENT

    try:
        asyncio.run(run())
    finally:
        world.folder.close()
