"""The nouns of the inventory and of the journal, through the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from operations.shell import Shell
from store.world import NOW, call, maker, owner, refusal, report

from bootz.model.bootstrap import ReportedStatus
from bootz.model.checks import STRANGER, Check, Outcome

SECRET = "s3cret-value"


def test_vendors(shell: Shell) -> None:
    other = shell.file("other.der", maker("Other").ca)
    shell.ok("vendor", "set", "acme inc", "--voucher-ca", other, "--ztp-server-line", "on")
    shown = shell.json("vendor", "show", "Acme")
    assert shown["voucher_ca"][0]["subject"] == "CN=Other CA"
    assert (shown["aliases"], shown["settings"]) == (["Acme Inc"], {"ztp_server_line": "on"})
    assert [row["name"] for row in shell.json("vendor", "list")] == ["Acme"]
    assert shell.refused("vendor", "add", "ACME", "--ca", other) == "vendor-exists"
    assert shell.refused("vendor", "add", "X", "--ca", str(shell.root)) == "file-unreadable"
    junk = shell.file("junk.pem", "nothing")
    assert shell.refused("vendor", "add", "X", "--ca", junk) == "vendor-invalid"
    shell.ok("vendor", "remove", "Acme")
    assert "acme" not in shell.ok("vendor", "list").lower()


def test_profiles_and_their_secrets(shell: Shell) -> None:
    file = shell.file(
        "p.yaml",
        f"vendor_config: {SECRET}\nboot_password_hash: {SECRET}\nvariables: {{v: {SECRET}}}\n"
        f"credentials: {{a: {SECRET}}}\nrelease: v0.3\n",
    )
    out = shell.ok("profile", "add", "edge", "--file", file, "--description", "all")
    out += shell.ok("profile", "show", "edge") + shell.ok("profile", "list")
    out += json.dumps(shell.json("profile", "show", "edge"))
    assert SECRET not in out
    config = shell.file("c.j2", "hostname {{ chassis.hostname }}")
    shell.ok("profile", "set", "EDGE", "--vendor-config", config, "--unset", "release")
    shown = shell.json("profile", "show", "edge")
    assert "release" not in shown
    assert shown["vendor_config"] == "set (31 characters)"
    assert shell.refused("profile", "set", "edge", "--image", "xr/1") == "image-not-found"
    bad = shell.file("bad.yaml", f"a: &a [{SECRET}]\nb: *a\n")
    code, _, err = shell.run("profile", "add", "x", "--file", bad)
    assert (code, SECRET in err, "bad.yaml" in err) == (1, False, True)
    shell.ok("profile", "remove", "edge")
    assert shell.refused("profile", "show", "edge") == "profile-not-found"


def test_chassis(shell: Shell) -> None:
    override = shell.file("o.yaml", f"boot_password_hash: {SECRET}\n")
    code, out, err = shell.run(
        *("chassis", "add", "FX1", "--vendor", "acme inc", "--hostname", "r1", "--var", "k=v=w"),
        *("--boot-mode", "insecure", "--override-file", override, "--mac", "001b.4411.3ab7"),
    )
    assert (code, "INSECURE" in err, SECRET in out) == (0, True, False)
    modular = ("--modular", "--card", "RP0:0:RP-X", "--card", "RP1:1")
    shell.ok("chassis", "add", "CH1", "--vendor", "Acme", *modular)
    assert "INSECURE" in shell.ok("chassis", "list")
    shown = shell.json("chassis", "show", "rp1")
    assert [card["slot"] for card in shown["cards"]] == ["0", "1"]
    shell.ok("chassis", "set", "RP0", "--card", "RP0", "--card", "RP2:1", "--release", "v0.3")
    shown = shell.json("chassis", "show", "CH1")
    assert [card["serial_number"] for card in shown["cards"]] == ["RP0", "RP2"]
    assert (shown["release"], shown["cards"][0]["part_number"]) == ("v0.3", "RP-X")
    shell.ok(
        *("chassis", "set", "CH1", "--mac", "RP2=02aa00000002", "--client-id", "RP2=rp-two"),
        *("--duid", "rp0=00:03:00:01:02:aa:00:00:00:01", "--ipv4", "10.0.0.9/24"),
        *("--gateway", "10.0.0.1", "--dhcp-uri", "bootz://h:1"),
    )
    shown = shell.json("chassis", "show", "CH1")
    assert shown["cards"][0]["duid"] == "00:03:00:01:02:aa:00:00:00:01"
    assert shown["cards"][1]["mac"] == "02:aa:00:00:00:02"
    assert shown["cards"][1]["client_id"] == "rp-two"
    expected = {"ipv4": "10.0.0.9/24", "gateway": "10.0.0.1", "uris": ["bootz://h:1"]}
    assert shown["dhcp"] == expected
    shell.ok("chassis", "set", "CH1", "--gateway", "", "--dhcp-uri", "", "--client-id", "RP2=")
    shown = shell.json("chassis", "show", "CH1")
    assert shown["dhcp"] == {"ipv4": "10.0.0.9/24"}
    assert "client_id" not in shown["cards"][1]
    assert shell.run("chassis", "set", "CH1", "--mac", "02aa00000002")[0] == 2
    assert shell.run("chassis", "set", "CH1", "--ipv4", "10.0.0.999/24")[0] == 2
    assert shell.run("chassis", "set", "CH1", "--dhcp-uri", "https://h")[0] == 2
    shell.ok(
        *("chassis", "set", "fx1", "--boot-mode", "secure", "--unset-var", "k"),
        *("--unset-override", "boot_password_hash", "--new-serial", "FX2"),
    )
    shown = shell.json("chassis", "show", "FX2")
    assert (shown["boot_mode"], shown["variables"], shown["overrides"]) == ("secure", [], {})
    assert shown["cards"][0]["mac"] == "00:1b:44:11:3a:b7"
    assert shell.refused("chassis", "show", "FX1") == "chassis-not-found"
    assert shell.refused("chassis", "add", "rp2", "--vendor", "Acme") == "serial-taken"
    shell.ok("chassis", "remove", "FX2")
    assert [row["serial_number"] for row in shell.json("chassis", "list")] == ["CH1"]
    assert shell.run("chassis", "add", "Y", "--vendor", "Acme", "--var", "novalue")[0] == 2
    assert shell.run("chassis", "add", "Y", "--vendor", "Acme", "--image", "xr")[0] == 2


def test_vouchers(shell: Shell) -> None:
    folder = shell.root / "delivery"
    folder.mkdir()
    good = maker().voucher("FX1", owner().der)
    (folder / "FX1.vcj").write_bytes(good)
    shell.ok("voucher", "verify", str(folder))
    assert shell.json("voucher", "list") == []
    (folder / "bad.vcj").write_bytes(maker("Rogue").voucher("FX2", owner().der))
    assert shell.refused("voucher", "verify", str(folder)) == "voucher-verify-failed"
    bad = str(folder / "bad.vcj")
    assert shell.refused("voucher", "verify", bad) == "voucher-vendor-unknown"
    code, out, err = shell.run("voucher", "import", str(folder), "--output", "json")
    assert [row["outcome"] for row in json.loads(out)] == ["stored", "refused"]
    assert (code, "voucher-import-refused" in err) == (1, True)
    (row,) = shell.json("voucher", "list")
    assert (row["serial_number"], row["vendor"], row["expires_on"]) == ("FX1", "Acme", "never")
    assert shell.json("voucher", "list", "--expiring", "30") == []
    shown = shell.json("voucher", "show", "fx1")
    assert (shown["pinned_domain_cert"], shown["signer"]) == ("CN=owner", "CN=Acme vouchers")
    shown = shell.json("voucher", "show", str(folder / "bad.vcj"))
    assert (shown["verified"], shown["signer"]) == (False, "CN=Rogue vouchers")
    # Without files, those in store are verified anew.
    (row,) = shell.json("voucher", "verify")
    assert (row["outcome"], row["serial_number"]) == ("holds", "FX1")
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    (folder / "damaged.vcj").write_bytes(damaged)
    assert "not verified" in shell.json("voucher", "show", str(folder / "damaged.vcj"))["signer"]
    assert shell.refused("voucher", "show", "FX2") == "voucher-not-found"


def test_attempts_are_explained(shell: Shell) -> None:
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme", "--hostname", "r1")
    key = shell.key("FX1")
    shell.record(
        refusal("FX9\x1b[2J"),
        call(chassis_key=key, nonce_digest="n"),
        report(ReportedStatus.FAILURE, message="disk full", chassis_key=key),
    )
    (explained,) = shell.json("attempts", "fx1")
    assert (explained["state"], explained["detail"]) == ("failure", "disk full")
    assert explained["next"].startswith("Read the router's message")
    assert explained["checks"] == [
        {"check": "nonce", "outcome": "passed", "expected": "a nonce", "seen": "present"}
    ]
    assert [event["kind"] for event in explained["events"]] == ["answered", "report"]
    table = shell.ok("attempts", "FX1")
    assert all(word in table for word in ("disk full", "present", "device-reported-failure"))
    latest = shell.json("attempts")
    assert [row["state"] for row in latest] == ["failure", "refused"]
    assert "\x1b[2J" not in shell.ok("attempts")
    assert shell.refused("attempts", "NOBODY") == "attempt-not-found"


def test_chassis_are_listed_by_where_they_stand(shell: Shell) -> None:
    for number in range(1, 5):
        shell.ok("chassis", "add", f"FX{number}", "--vendor", "Acme", "--hostname", f"r{number}")
    shell.record(
        call(chassis_key=shell.key("FX2"), nonce_digest="a", at=NOW),
        report(ReportedStatus.FAILURE, message="disk full", chassis_key=shell.key("FX2")),
        call("FX3", chassis_key=shell.key("FX3"), nonce_digest="b", at=NOW - timedelta(days=1)),
    )
    held = shell.json("chassis", "hold", "FX4", "FX4", "--note", "no power")
    assert held == {"held": ["FX4"], "already_held": 0}
    assert shell.refused("chassis", "hold", "FX1", "FX9") == "chassis-not-found"

    def listed(*words: str) -> list[tuple[str, str]]:
        rows = shell.json("chassis", "list", *words)
        return [(row["serial_number"], row["state"]) for row in rows]

    everywhere = [("FX1", "expected"), ("FX2", "failed"), ("FX3", "stuck"), ("FX4", "on-hold")]
    assert listed() == everywhere
    by_need = [("FX2", "failed"), ("FX3", "stuck"), ("FX4", "on-hold"), ("FX1", "expected")]
    assert listed("--sort", "state") == by_need
    assert listed("--state", "failed,stuck", "--sort", "hostname") == by_need[:2]
    assert listed("--label", "site=osl") == []
    (failed,) = shell.json("chassis", "list", "--state", "failed")
    assert (failed["reason"], failed["detail"]) == ("device-reported-failure", "disk full")
    assert failed["next"]
    _, table, words = shell.run("chassis", "list", "--state", "stuck")
    assert "chassis-stuck" in table
    assert "4 chassis: 1 failed, 1 stuck, 1 on-hold, 1 expected" in words
    assert shell.json("chassis", "release", "FX4")["released"] == ["FX4"]
    assert listed("--state", "expected") == [("FX1", "expected"), ("FX4", "expected")]
    assert shell.run("chassis", "list", "--state", "lost")[0] == 2


def test_a_batch_is_held_and_released_by_its_label(shell: Shell) -> None:
    for number in range(1, 4):
        batch = f"batch={'two' if number < 3 else 'three'}"
        shell.ok("chassis", "add", f"FX{number}", "--vendor", "Acme", "--label", batch)
    held = shell.json("chassis", "hold", "--label", "batch=two")
    assert held == {"held": ["FX1", "FX2"], "already_held": 0}
    both = ("--label", "batch=two", "--where", "vendor=acme")
    assert shell.json("chassis", "release", *both)["released"] == ["FX1", "FX2"]
    assert shell.refused("chassis", "hold", "--label", "batch=four") == "where-matches-none"
    assert shell.run("chassis", "hold", "FX1", "--label", "batch=two")[0] == 2


def test_strangers_are_ignored_heeded_and_claimed(shell: Shell) -> None:
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme", "--hostname", "r1")
    proof = (Check(STRANGER, Outcome.PASSED, seen="Acme"),)
    shell.record(
        refusal("FX8"),
        replace(refusal("FX9", checks=proof), proven_serial="FX9"),
    )
    proven, unproven = shell.json("stranger", "list")
    assert (proven["proven_serial"], proven["proven_vendor"]) == ("FX9", "Acme")
    assert (unproven["claimed_serial"], unproven["proven_vendor"]) == ("FX8", "")

    shell.ok("stranger", "ignore", str(unproven["id"]), "--note", "the lab next door")
    assert [row["claimed_serial"] for row in shell.json("stranger", "list")] == ["FX9"]
    ignored = [row["ignored"] for row in shell.json("stranger", "list", "--all")]
    assert ignored == [False, True]
    shell.ok("stranger", "heed", str(unproven["id"]))
    assert len(shell.json("stranger", "list")) == 2

    assert shell.refused("stranger", "claim", str(unproven["id"]), "FX1") == "stranger-unproven"
    claimed = shell.json("stranger", "claim", str(proven["id"]), "FX1")
    assert (claimed["expected"], claimed["seen"]) == ("FX1", "FX9")
    assert shell.json("chassis", "show", "FX9")["hostname"] == "r1"
    assert shell.refused("stranger", "ignore", "99") == "attempt-not-found"


def test_attempts_are_chosen_and_paged(shell: Shell) -> None:
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme", "--hostname", "r1")
    shell.ok("chassis", "add", "FX2", "--vendor", "Acme", "--hostname", "r2")
    first, second = shell.key("FX1"), shell.key("FX2")
    shell.record(
        call(chassis_key=first, nonce_digest="a", at=NOW - timedelta(days=3)),
        call("FX2", chassis_key=second, nonce_digest="b", dialect="v0.3", at=NOW),
        refusal("FX9"),
        report(ReportedStatus.FAILURE, message="disk full", chassis_key=first, at=NOW),
    )

    def chosen(*words: str) -> list[str]:
        return [row["serial_number"] for row in shell.json("attempts", *words)]

    assert chosen() == ["FX9", "FX2", "FX1"]
    assert chosen("--state", "failure,answered") == ["FX2", "FX1"]
    assert chosen("--reason", "device-reported-failure") == ["FX1"]
    assert chosen("--dialect", "v0.3") == ["FX2"]
    assert chosen("--strangers") == ["FX9"]
    assert chosen("--since", "2020-01-01") == ["FX9", "FX2", "FX1"]
    assert chosen("--since", "2999-01-01") == []
    assert chosen("--label", "site=osl") == []
    (last,) = shell.json("attempts", "-n", "1")
    assert chosen("--before", str(last["id"])) == ["FX2", "FX1"]
    for wrong in (
        ("--state", "lost"),
        ("--label", "osl"),
        ("--since", "soon"),
        ("--since", "999999d", "FX1"),
        ("FX1", "--strangers"),
    ):
        assert shell.run("attempts", *wrong)[0] == 2


def test_watch_ends_after_the_events_that_were_asked_for(shell: Shell) -> None:
    shell.ok("chassis", "add", "FX1", "--vendor", "Acme", "--hostname", "r1")
    key = shell.key("FX1")
    shell.record(
        call(chassis_key=key, nonce_digest="n"),
        report(ReportedStatus.SUCCESS, chassis_key=key, at=NOW),
        refusal("X\x1b[2J", peer="\x1b[2J:1"),
    )
    words = ("watch", "--from-start", "--count", "3")
    lines = shell.ok(*words, "--output", "json").splitlines()
    events = [json.loads(line) for line in lines]
    assert [(event["kind"], event["state"]) for event in events] == [
        ("answered", "success"),
        ("report", "success"),
        ("refused", "refused"),
    ]
    plain = shell.ok(*words)
    assert "r1 FX1 report SUCCESS" in plain
    assert "\x1b[2J" not in plain
