"""Webhooks arrive signed, in order per chassis, and at least once, whatever the receiver does.

docs/operator-ids.md: O51.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import pytest
from aiohttp import web
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from pki import make_pair
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError
from store.cluster import Cluster
from store.world import refusal, report
from webhooks.conftest import Site
from webhooks.receiver import Received, Receiver, receiving

from bootz.config.operator import WebhookSettings
from bootz.model.bootstrap import ReportedStatus
from bootz.server.operations.webhooks import list_deliveries, resend, set_webhook
from bootz.server.store.database import open_database
from bootz.server.store.leadership import leadership


def run(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story, 120))


def ids(messages: list[Received], chassis: str = "FX1") -> list[int]:
    return [message.event_id for message in messages if message.chassis == chassis]


def test_an_event_arrives_as_a_signed_cloud_event(site: Site) -> None:
    async def story() -> None:
        async with receiving(Receiver()) as receiver, site.sending():
            site.add(receiver)
            site.happen("FX1")
            await site.settled(1)
        (message,) = receiver.received

        Verifier(receiver.secret).verify(message.body, message.headers)
        with pytest.raises(WebhookVerificationError):
            Verifier(receiver.secret).verify(message.body + b" ", message.headers)
        with pytest.raises(WebhookVerificationError):
            Verifier("whsec_" + "B" * 44).verify(message.body, message.headers)

        event = from_structured(HTTPMessage(message.headers, message.body), JSONFormat())
        assert event.get_type() == "bootz.attempt.answered"
        assert event.get_source() == "/bootz/Example"
        assert event.get_subject() == "FX1"
        assert event.get_id() == str(message.event_id)
        data = event.get_data()
        assert isinstance(data, dict)
        assert data["vendor"] == "Acme"
        assert data["labels"] == {"site": "fx1"}
        assert data["details"]["rpc"] == "GetBootstrapData"
        assert message.headers["user-agent"].startswith("bootz/")

    run(story())
    hook = site.webhook()
    assert (hook.delivered, hook.waiting, hook.dead) == (1, 0, 0)


def test_what_happened_before_a_webhook_was_made_is_not_sent(site: Site) -> None:
    async def story() -> None:
        async with receiving(Receiver()) as receiver, site.sending():
            site.happen("FX1")
            site.add(receiver)
            site.happen("FX2")
            await site.settled(1)
        assert [message.chassis for message in receiver.received] == ["FX2"]

    run(story())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"events": ["bootz.attempt.refused"]}, {("FX1", "refused"), ("STRANGER", "refused")}),
        ({"events": ["bootz.report.success"]}, {("FX2", "report")}),
        ({"labels": {"site": "fx1"}}, {("FX1", "answered"), ("FX1", "refused")}),
        ({"labels": {"site": "fx1"}, "events": ["bootz.report.success"]}, set()),
    ],
)
def test_filters(site: Site, options: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    async def story() -> None:
        async with receiving(Receiver()) as receiver:
            site.add(receiver, **options)
            site.add(receiver, "all")
            site.happen("FX1", "FX2")
            site.record(refusal("FX1", chassis_key=site.chassis["FX1"], nonce_digest="x"))
            site.record(refusal("STRANGER"))
            site.record(report(ReportedStatus.SUCCESS, "FX2", chassis_key=site.chassis["FX2"]))
            async with site.sending():
                await site.settled(5, name="all")
                await site.settled(len(expected))
        sent = [each for each in receiver.received if each.message_id.startswith("msg_1_")]
        found = {(each.chassis, each.event["data"]["kind"]) for each in sent}
        assert found == expected
        assert len(receiver.received) - len(sent) == 5

    run(story())


def test_a_receiver_that_fails_hangs_and_comes_back(site: Site) -> None:
    async def hang() -> int:
        await asyncio.Event().wait()
        return 200

    failures: list[Any] = [
        lambda: 500,
        lambda: 404,
        lambda: web.Response(status=307, headers={"Location": "http://127.0.0.1:9/"}),
        lambda: 503,
    ]

    def respond(_: Received) -> Any:
        return failures.pop(0)() if failures else 200

    async def story() -> None:
        async with receiving(Receiver(respond=respond)) as receiver, site.sending():
            site.add(receiver)
            site.happen("FX1")
            for tries in range(1, 5):
                await receiver.until(lambda tries=tries: len(receiver.received) == tries)
                await tried(site, tries)
                assert not receiver.acknowledged
                site.later(hours=1)
            await site.settled(1)
        assert len(receiver.received) == 5
        assert len({message.message_id for message in receiver.received}) == 1
        stamps = [int(message.headers["webhook-timestamp"]) for message in receiver.received]
        assert stamps == sorted(set(stamps))

    run(story())


async def tried(site: Site, tries: int) -> str:
    """Wait until the first delivery has failed so often; return why it did last."""
    async with asyncio.timeout(60):
        while True:
            with site.database.read() as connection:
                found = list_deliveries(connection, "ops")
            if found and found[0].tries == tries:
                return found[0].error
            await asyncio.sleep(0)


def test_a_receiver_that_never_answers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootz.server.webhooks.delivery.TIMEOUT_S", 0.05)

    async def hang(_: Received) -> int:
        await asyncio.Event().wait()
        return 200

    async def story() -> None:
        async with receiving(Receiver(respond=hang)) as receiver, site.sending():
            site.add(receiver)
            site.happen("FX1")
            assert (await tried(site, 1)).startswith("webhook-timeout")

    run(story())


def test_one_receiver_that_hangs_holds_up_no_other(site: Site) -> None:
    async def hang(_: Received) -> int:
        await asyncio.Event().wait()
        return 200

    async def story() -> None:
        async with (
            receiving(Receiver(respond=hang)) as hanging,
            receiving(Receiver()) as well,
        ):
            site.add(hanging, "hanging")
            site.add(well)
            for number in range(20):
                site.happen(f"STRANGER{number}")
            async with site.sending():
                await site.settled(20)
            assert len(hanging.received) == 8

    run(story())


def test_order_within_a_chassis_and_none_across(site: Site) -> None:
    """The first event of FX1 fails three times: its others wait, those of FX2 do not."""
    failing = [500, 500, 500]

    def respond(message: Received) -> int:
        return failing.pop() if message.chassis == "FX1" and failing else 200

    async def story() -> None:
        async with receiving(Receiver(respond=respond)) as receiver, site.sending():
            site.add(receiver)
            for _ in range(5):
                site.happen("FX1", "FX2")
            await receiver.until(lambda: len(ids(receiver.acknowledged, "FX2")) == 5)
            for tries in range(1, 4):
                await tried(site, tries)
                assert not ids(receiver.acknowledged, "FX1")
                site.later(minutes=40)
            await site.settled(10)
        for chassis in ("FX1", "FX2"):
            acknowledged = ids(receiver.acknowledged, chassis)
            assert acknowledged == sorted(acknowledged)
            assert len(acknowledged) == 5
        assert ids(receiver.received, "FX1")[:4] == [ids(receiver.received, "FX1")[0]] * 4

    run(story())


def test_after_a_day_it_is_given_up_and_can_be_sent_again(site: Site) -> None:
    working: list[bool] = []

    def respond(message: Received) -> int:
        return 200 if working or message.chassis == "FX2" else 500

    async def story() -> None:
        async with receiving(Receiver(respond=respond)) as receiver, site.sending():
            site.add(receiver)
            site.happen("FX1", "FX1")
            await tried(site, 1)
            site.later(hours=25)
            # The first is given up; the second's day has passed as well.
            await site.settled(0, dead=2)
            with site.database.read() as connection:
                found = list_deliveries(connection, "ops", state="dead")
            assert all(each.error.startswith("webhook-refused") for each in found)
            working.append(True)
            with site.database.write() as connection:
                assert resend(connection, "ops", now=site.now) == 2
            await site.settled(2)
        assert len(ids(receiver.acknowledged)) == 2
        assert ids(receiver.acknowledged) == sorted(ids(receiver.acknowledged))

    run(story())


def test_a_clock_that_is_set_back_holds_up_nothing(site: Site) -> None:
    answers = [500]

    async def story() -> None:
        receiver_ = Receiver(respond=lambda _: answers.pop() if answers else 200)
        async with receiving(receiver_) as receiver, site.sending():
            site.add(receiver)
            site.happen("FX1")
            await tried(site, 1)
            site.later(days=-300)
            await site.settled(1)

    run(story())


def test_a_clock_that_is_set_back_does_not_lengthen_the_day_of_tries(site: Site) -> None:
    async def story() -> None:
        async with receiving(Receiver(respond=lambda _: 500)) as receiver, site.sending():
            site.add(receiver)
            site.happen("FX1")
            await tried(site, 1)
            site.later(days=-300)
            await tried(site, 2)
            site.later(hours=25)
            await site.settled(0, dead=1)

    run(story())


def test_gone_switches_it_off_and_it_goes_on_where_it_stopped(site: Site) -> None:
    answers = [410]

    async def story() -> None:
        async with (
            receiving(Receiver(respond=lambda _: answers.pop() if answers else 200)) as (receiver),
            site.sending(),
        ):
            site.add(receiver)
            site.happen("FX1")
            await tried(site, 1)
            assert not site.webhook().enabled
            site.later(hours=1)
            site.happen("FX1")
            with site.database.write() as connection:
                set_webhook(connection, "ops", enabled=True)
            await receiver.until(lambda: len(receiver.acknowledged) == 2)
        assert ids(receiver.acknowledged) == sorted(ids(receiver.acknowledged))

    run(story())


def test_a_receiver_asks_for_time(site: Site) -> None:
    def respond(_: Received) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "600"})

    async def story() -> None:
        async with receiving(Receiver(respond=respond)) as receiver, site.sending():
            site.add(receiver)
            site.happen("FX1")
            await tried(site, 1)
            with site.database.read() as connection:
                (found,) = list_deliveries(connection, "ops")
            assert (found.next_at - site.now).total_seconds() == 600

    run(story())


def test_a_redirect_is_never_followed(site: Site) -> None:
    async def story() -> None:
        async with receiving(Receiver()) as other:
            moved = web.Response(status=302, headers={"Location": other.url})
            async with receiving(Receiver(respond=lambda _: moved)) as receiver, site.sending():
                site.add(receiver)
                site.happen("FX1")
                assert (await tried(site, 1)).startswith("webhook-redirected")
            assert not other.received

    run(story())


@pytest.mark.parametrize(
    ("host", "settings"),
    [
        ("127.0.0.1", WebhookSettings()),
        ("localhost", WebhookSettings()),
        ("[::ffff:127.0.0.1]", WebhookSettings()),
        ("127.0.0.1", WebhookSettings(private_targets=("10.0.0.0/8",))),  # type: ignore[arg-type]
    ],
)
def test_loopback_is_reached_only_where_it_is_allowed(
    site: Site, host: str, settings: WebhookSettings
) -> None:
    site.settings = settings

    async def story() -> None:
        async with receiving(Receiver()) as receiver, site.sending():
            receiver.url = receiver.url.replace("127.0.0.1", host)
            site.add(receiver)
            site.happen("FX1")
            assert (await tried(site, 1)).startswith("webhook-target-refused")
            assert not receiver.received

    run(story())


def test_a_name_that_leads_here_and_elsewhere_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some answers of the name-server are good, one is not; and it is asked once."""
    asked: list[str] = []

    async def resolved(_loop: Any, host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        stream = socket.SOCK_STREAM
        return [
            (socket.AF_INET, stream, 6, "", ("127.0.0.1", port)),
            (socket.AF_INET, stream, 6, "", ("10.0.0.1", port)),
        ]

    async def story() -> None:
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolved)
        async with receiving(Receiver()) as receiver, site.sending():
            receiver.url = receiver.url.replace("127.0.0.1", "hooks.example.net")
            site.add(receiver)
            site.happen("FX1")
            assert (await tried(site, 1)).startswith("webhook-target-refused")
            assert not receiver.received
            assert asked.count("hooks.example.net") == 1

    run(story())


def test_a_name_is_connected_to_at_the_address_that_was_judged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name-server that changes its mind after the judgement is not asked again."""
    answers = ["127.0.0.1", "192.0.2.1"]

    async def resolved(_loop: Any, host: str, port: int, **_options: Any) -> list[Any]:
        if host != "hooks.example.net":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    async def story() -> None:
        async with receiving(Receiver()) as receiver:
            monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolved)
            receiver.url = receiver.url.replace("127.0.0.1", "hooks.example.net")
            site.add(receiver)
            site.happen("FX1")
            async with site.sending():
                await receiver.until(lambda: bool(receiver.acknowledged))
        assert answers == ["192.0.2.1"]

    run(story())


def test_tls_with_a_ca_of_ones_own(site: Site) -> None:
    pair = make_pair("receiver", ip="127.0.0.1")
    certificate, key = pair.save(site.root, "receiver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def story() -> None:
        async with receiving(Receiver(), context) as receiver:
            site.add(receiver)
            site.happen("FX1")
            async with site.sending():
                why = await tried(site, 1)
                assert why.startswith("webhook-unreachable: its certificate does not hold")
            site.settings = site.settings.model_copy(update={"ca": certificate})
            site.later(minutes=5)
            async with site.sending():
                await receiver.until(lambda: bool(receiver.acknowledged))

    run(story())


def test_one_process_of_many_sends(site: Site) -> None:
    async def story() -> None:
        async with receiving(Receiver()) as receiver:
            site.add(receiver)
            first = leadership(site.database, "webhooks")
            assert first.hold()
            async with site.sending():
                site.happen("FX1")
                await asyncio.sleep(0)
            assert not receiver.received
            first.release()
            async with site.sending():
                await site.settled(1)

    run(story())


@pytest.mark.postgresql
def test_the_lock_of_the_sender_is_another_than_that_of_the_leader(cluster: Cluster) -> None:
    database = open_database(cluster.url(), create=True)
    try:
        first, second = (leadership(database, "webhooks") for _ in range(2))
        leader = leadership(database)
        assert first.hold() and leader.hold()
        assert not second.hold()
        first.release()
        leader.release()
    finally:
        database.close()
