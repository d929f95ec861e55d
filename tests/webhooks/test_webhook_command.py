"""``bootz webhook``: made, shown without its secret, tested, sent again, audited."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from webhooks.receiver import Receiver, receiving

from bootz.cli.main import run

SECRET = "whsec_" + "UExBTlRFRC1TRUNSRVQtcGxhbnRlZC1zZWNyZXQ="
PLANTED = ("UExBTlRFRC1TRUNSRVQ", "PLANTED-SECRET")


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    """Let a receiver listen in a thread of its own."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with receiving(receiver):
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(30)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(30)
        loop.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    assert run(["init", str(root), "--organization", "Example"]) == 0
    return root


def bootz(site: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    capsys.readouterr()
    code = run(["--site", str(site), *words, "--output", "json"])
    told = capsys.readouterr()
    return code, json.loads(told.out) if told.out else None, told.err


def reason(said: str) -> str:
    """Return the reason of what was said on stderr."""
    return str(json.loads(said)["error"]["reason"])


def test_the_life_of_a_webhook(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def allow(*networks: str) -> None:
        config = site / "bootz.yaml"
        document = yaml.safe_load(config.read_text())
        document["webhooks"] = {"private_targets": list(networks)}
        config.write_text(yaml.safe_dump(document))

    receiver = Receiver()
    with listening(receiver):
        words = ("--event", "bootz.report.success", "--label", "site=osl")
        add = ("webhook", "add", "ops", "--url", receiver.url, *words)
        code, _, said = bootz(site, capsys, *add)
        assert (code, reason(said)) == (1, "webhook-target-refused")
        assert "webhooks.private_targets" in said
        allow("127.0.0.0/8")
        code, made, _ = bootz(site, capsys, *add)
        assert code == 0
        receiver.secret = made["secret"]
        assert made["labels"] == {"site": "osl"}

        # It is judged at each try, too.
        allow()
        code, trial, _ = bootz(site, capsys, "webhook", "test", "ops")
        assert (code, trial["reason"]) == (1, "webhook-target-refused")

        allow("127.0.0.0/8")
        code, trial, _ = bootz(site, capsys, "webhook", "test", "OPS")
        assert (code, trial["status"]) == (0, 200)
    (message,) = receiver.received
    assert message.event["type"] == "bootz.test"

    code, _, said = bootz(site, capsys, "webhook", "add", "Ops", "--url", "https://a.example/")
    assert (code, reason(said)) == (1, "webhook-exists")
    code, changed, _ = bootz(
        site, capsys, "webhook", "set", "ops", "--disable", "--all-events", "--no-labels"
    )
    assert (changed["enabled"], changed["events"], changed["labels"]) == (False, [], {})
    assert bootz(site, capsys, "webhook", "list")[1] == [changed]
    assert bootz(site, capsys, "webhook", "show", "ops")[1] == changed
    assert bootz(site, capsys, "webhook", "deliveries", "ops")[1] == []
    assert bootz(site, capsys, "webhook", "resend", "ops")[1] == {"resent": 0}
    assert bootz(site, capsys, "webhook", "remove", "ops")[1] == {"removed": "ops"}
    code, _, said = bootz(site, capsys, "webhook", "show", "ops")
    assert (code, reason(said)) == (1, "webhook-not-found")
    verbs = [entry["verb"] for entry in bootz(site, capsys, "audit", "list")[1]]
    assert {"webhook.add", "webhook.set", "webhook.resend", "webhook.remove"} <= set(verbs)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--url", "https://a.example/\r\nX: y"), "url"),
        (("--url", "https://user:pw@a.example/"), "url"),
        (("--url", "https://a.example/", "--event", "bootz.everything"), "events"),
        (("--url", "https://a.example/", "--label", "-=x"), "labels"),
    ],
)
def test_what_does_not_fit(
    site: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], named: str
) -> None:
    code, _, said = bootz(site, capsys, "webhook", "add", "ops", *words)
    assert (code, reason(said)) == (1, "webhook-invalid")
    assert named in said
    assert "pw" not in said


def test_a_secret_of_the_receiver_is_shown_nowhere(
    site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    add = ("webhook", "add", "ops", "--url", "https://a.example/", "--secret-file", str(file))
    told = [bootz(site, capsys, *add)]
    told += [
        bootz(site, capsys, "webhook", verb, *name)
        for verb, name in (("list", ()), ("show", ("ops",)), ("remove", ("ops",)))
    ]
    told.append(bootz(site, capsys, "audit", "list"))
    assert all(code == 0 for code, _, _ in told)
    assert not any(planted in repr(told) for planted in PLANTED)
    assert "hidden:" in repr(told)
