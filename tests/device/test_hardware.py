"""A hardware folder is made once, opened strictly, and never half written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from device.world import SERIAL, World
from pki import make_pair

from bootz.device.hardware import BuiltCard, BuiltChassis, Hardware, NewCard
from bootz.device.kept import KeptAnswer, KeptReport
from bootz.device.state import MAX_STATUSES, BootzStatus, InstalledImage, RouterState
from bootz.errors import BootzError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import CardState
from bootz.model.chassis import CardStatus


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def reason(call: object) -> str:
    with pytest.raises(BootzError) as caught:
        call()  # type: ignore[operator]
    return caught.value.reason


def test_a_router_is_opened_as_it_was_made(world: World) -> None:
    made = world.manufacture()
    opened = Hardware.open(made.folder)
    assert opened.record == made.record
    assert opened.load_state() == RouterState(image=InstalledImage("os", "1"))
    (card,) = opened.record.cards
    assert opened.certificates(card) == (world.idevid.der,)
    key = made.folder / "cards" / "RP0" / "identity.key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_nothing_is_made_over_what_is_there(world: World) -> None:
    world.manufacture()
    assert reason(world.manufacture) == "file-exists"


def test_a_key_that_is_not_the_certificates_is_refused(world: World) -> None:
    card = BuiltCard("RP0", SERIAL)
    other = make_pair("other")
    new = NewCard(card, other.key, [world.idevid.der], [world.vendor.der])
    record = BuiltChassis("Acme", SERIAL, (card,))

    def make() -> None:
        Hardware.manufacture(world.folder / "x", record, [new], RouterState())

    assert reason(make) == "hardware-identity"
    assert not (world.folder / "x").exists()


def test_a_key_that_others_may_read_is_refused(world: World) -> None:
    hardware = world.manufacture()
    (hardware.folder / "cards" / "RP0" / "identity.key").chmod(0o644)
    with pytest.raises(BootzError):
        hardware.identity(hardware.record.cards[0])


def test_a_folder_that_is_no_router_and_damaged_records_are_told(world: World) -> None:
    assert reason(lambda: Hardware.open(world.folder)) == "hardware-missing"
    hardware = world.manufacture()
    state = hardware.folder / "state.json"
    for text in ("", "[]", '{"phase":"nowhere"}', '{"statuses":["BOOTZ_WRONG"]}', "\ud800"):
        state.write_text(text, errors="replace")
        assert reason(hardware.load_state) == "hardware-damaged"
    chassis = hardware.folder / "chassis.json"
    document = json.loads(chassis.read_text())
    chassis.write_text(json.dumps({**document, "cards": []}))
    assert reason(lambda: Hardware.open(hardware.folder)) == "hardware-damaged"


def test_a_kept_file_that_was_changed_is_not_used(world: World) -> None:
    hardware = world.manufacture()
    digest = hardware.keep("answers", b"one")
    assert hardware.kept("answers", digest) == b"one"
    (hardware.folder / "disk" / "answers" / digest).write_bytes(b"two")
    assert reason(lambda: hardware.kept("answers", digest)) == "hardware-damaged"


def test_sweeping_leaves_what_the_record_names(world: World) -> None:
    hardware = world.manufacture()
    kept, loose = (hardware.keep("configurations", data) for data in (b"1", b"2"))
    (hardware.images / "old").write_bytes(b"")
    state = replace(hardware.load_state(), running=kept)
    hardware.sweep(state)
    folder = hardware.folder / "disk" / "configurations"
    assert [path.name for path in folder.iterdir()] == [kept]
    assert loose != kept
    assert list(hardware.images.iterdir()) == []


def test_a_reset_keeps_the_software_alone(world: World) -> None:
    hardware = world.manufacture()
    digest = hardware.keep("configurations", b"{}")
    state = replace(hardware.load_state(), running=digest, startup=digest, error_count=3)
    hardware.save_state(state)
    hardware.reset()
    assert hardware.load_state() == RouterState(image=InstalledImage("os", "1"))
    assert not (hardware.folder / "disk" / "configurations" / digest).exists()


def test_secure_mode_is_kept(world: World) -> None:
    hardware = world.manufacture()
    hardware.set_secure_mode(enabled=False)
    assert not Hardware.open(hardware.folder).record.secure_mode


def test_the_status_sequence_is_bounded_and_repeats_nothing() -> None:
    state = RouterState()
    for _ in range(MAX_STATUSES):
        state = state.moved(BootzStatus.SENT).moved(BootzStatus.SENT).moved(BootzStatus.RECEIVED)
    assert len(state.statuses) == MAX_STATUSES
    assert state.statuses[-2:] == (BootzStatus.SENT, BootzStatus.RECEIVED)


def test_kept_records_are_read_as_written_and_refused_when_damaged() -> None:
    answer = KeptAnswer("bootz://h", "current", "n", SealedData(b"p", "s", b"v", b"o"))
    assert KeptAnswer.read(answer.write()) == answer
    assert "'n'" not in repr(answer)
    card = CardState(SERIAL, CardStatus.INITIALIZED)
    report = KeptReport("bootz://h", "v0.3", b"der", (card,), "words")
    assert KeptReport.read(report.write()) == report
    for data in (b"", b"[]", b"{}", answer.write().replace(b"cA==", b"c!==")):
        assert reason(lambda data=data: KeptAnswer.read(data)) == "hardware-damaged"
    for data in (b"{}", report.write().replace(b"INITIALIZED", b"WRONG")):
        assert reason(lambda data=data: KeptReport.read(data)) == "hardware-damaged"
