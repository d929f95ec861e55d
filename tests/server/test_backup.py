"""A site is backed up while it serves, and restored elsewhere: all of it, or nothing."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crash import killed_runs
from server.test_serving import play, served
from store.cluster import Cluster
from store.test_upgrade import CLUSTER_DUMPS, SITE_DUMPS, contents, loaded
from world import World, manufacturer, report, request, verified

from bootz.cli.main import run
from bootz.server.site import open_site
from bootz.server.store.attempt_states import AttemptState
from bootz.server.store.database import open_engine
from bootz.server.store.migrations import SITE_SCHEMA
from bootz.sql.engine import sqlite_engine
from bootz.sql.upgrade import upgrade

Bootz = Callable[..., Any]
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SECRET = "hunter2"


@pytest.fixture
def bootz(capsys: pytest.CaptureFixture[str]) -> Bootz:
    def call(*words: object, code: int = 0) -> Any:
        capsys.readouterr()
        assert run([*map(str, words), "--output", "json"]) == code
        told = capsys.readouterr()
        return json.loads(told.out if code == 0 else told.err)

    return call


@pytest.fixture
def ready(world: World) -> World:
    world.add_profile(vendor_config="username x secret {{ variables.password }}\n")
    for serial in ("FX1", "FX2"):
        world.add_chassis(serial, profile="base", variables={"password": SECRET})
        world.add_voucher(serial)
    return world


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    return secret_file(tmp_path / "passphrase", "a long phrase")


def secret_file(path: Path, content: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(f"{content}\n")
    return path


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def rewritten(file: Path, content: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w") as tar:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file


def test_a_site_that_serves_is_restored_elsewhere_and_serves_at_once(
    ready: World, tmp_path: Path, bootz: Bootz, passphrase: Path
) -> None:
    image = tmp_path / "x.img"
    image.write_bytes(b"image\n")
    bootz("--site", ready.root, "image", "add", image, "--name", "x", "--version", "1")
    backup, again = tmp_path / "site.tar", tmp_path / "again"

    async def before() -> bytes:
        async with served(ready) as (_, running):
            data = verified(await running.ask(manufacturer().device("FX1"), request()), "FX1")
            words = ["--with-keys", "--passphrase-file", passphrase, "--images"]
            await asyncio.to_thread(bootz, "--site", ready.root, "backup", backup, *words)
            anchor = data.responses[0].server_trust_cert
            # What comes later is not in the backup.
            await running.report(manufacturer().device("FX1"), report("FX1"), anchor=anchor)
            return anchor

    async def after(anchor: bytes) -> None:
        restored = World(tmp_path / "unused", ready.root)
        restored.root = again
        async with served(restored) as (_, running):
            # A router that was answered by the one reports to the other.
            await running.report(manufacturer().device("FX1"), report("FX1"), anchor=anchor)
            second = manufacturer().device("FX2")
            data = verified(await running.ask(second, request("FX2")), "FX2")
            assert data.responses[0].server_trust_cert == anchor
            await running.report(second, report("FX2"), anchor=anchor)
        assert {attempt.state for attempt in restored.attempts()} == {AttemptState.SUCCESS}
        assert len(restored.attempts()) == 2

    anchor = asyncio.run(asyncio.wait_for(before(), 120))
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".*"))
    told = bootz("restore", backup, again, "--passphrase-file", passphrase)
    assert (told["keys"], told["left_out"], told["upgraded_from"]) == (True, [], None)
    play(lambda: after(anchor))
    (row,) = bootz("--site", again, "image", "list", "--verify")
    assert row["verified"] is True
    verbs = [entry["verb"] for entry in bootz("--site", again, "audit", "list")]
    assert "site.restore" in verbs
    assert bootz("--site", ready.root, "audit", "list")[0]["verb"] == "site.backup"
    assert "keys/owner/1.key" not in {name for name in members(backup) if name != "private.age"}
    assert b"PRIVATE KEY" not in backup.read_bytes()


def test_without_keys_the_rest_is_restored_and_it_is_said(
    ready: World, tmp_path: Path, bootz: Bootz, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tmp_path / "site.tar"
    told = bootz("--site", ready.root, "backup", backup)
    assert (told["keys"], told["images"], len(told["left_out"])) == ("left out", 0, 2)
    assert run(["restore", str(backup), str(tmp_path / "again"), "--without-keys"]) == 0
    assert "keys/" in capsys.readouterr().err
    assert not (tmp_path / "again" / "keys").exists()
    assert len(bootz("--site", tmp_path / "again", "chassis", "list")) == 2


def test_a_recipient_opens_the_keys_and_so_does_age(
    ready: World, tmp_path: Path, bootz: Bootz
) -> None:
    from pyrage import x25519

    identity = x25519.Identity.generate()
    backup = tmp_path / "site.tar"
    words = ["--with-keys", "--recipient", identity.to_public()]
    bootz("--site", ready.root, "backup", backup, *words)
    key = secret_file(tmp_path / "identity", f"# made for a test\n{identity}")
    bootz("restore", backup, tmp_path / "again", "--identity-file", key)
    assert open_site(tmp_path / "again").keys.read() == ready.site.keys.read()
    other = secret_file(tmp_path / "other", str(x25519.Identity.generate()))
    error = bootz("restore", backup, tmp_path / "no", "--identity-file", other, code=1)["error"]
    assert error["reason"] == "backup-sealed"
    assert not (tmp_path / "no").exists()


@pytest.mark.age
def test_age_itself_opens_the_keys(ready: World, tmp_path: Path, bootz: Bootz) -> None:
    key = tmp_path / "key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    shown = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True)
    words = ["--with-keys", "--recipient", shown.stdout.strip()]
    bootz("--site", ready.root, "backup", tmp_path / "site.tar", *words)
    sealed = members(tmp_path / "site.tar")["private.age"]
    command = ["age", "-d", "-i", key]
    opened = subprocess.run(command, input=sealed, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(opened)) as tar:
        assert "keys/keyring.json" in tar.getnames()


@pytest.mark.parametrize("dump", SITE_DUMPS[:1] + SITE_DUMPS[-1:], ids=lambda dump: dump.name)
def test_a_backup_of_an_older_version_is_upgraded(
    dump: Path, world: World, tmp_path: Path, bootz: Bootz
) -> None:
    for rest in world.root.glob("bootz.db*"):
        rest.unlink()
    path = loaded(dump, world.root)
    engine = sqlite_engine(path)
    upgrade_needed = contents(engine)
    engine.dispose()
    told = bootz("--site", world.root, "backup", tmp_path / "site.tar")
    assert told["schema_version"] < SITE_SCHEMA.version
    restored = bootz("restore", tmp_path / "site.tar", tmp_path / "again", "--without-keys")
    assert restored["upgraded_from"] == told["schema_version"]
    engine = sqlite_engine(tmp_path / "again" / "bootz.db")
    now = contents(engine)
    engine.dispose()
    assert {row["id"] for row in now["chassis"]} == {row["id"] for row in upgrade_needed["chassis"]}
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == [
        "bootz.db",
        "bootz.yaml",
        "images",
    ]


@pytest.mark.postgresql
def test_a_site_goes_from_postgresql_to_a_file_and_back(
    cluster: Cluster, world: World, tmp_path: Path, bootz: Bootz
) -> None:
    url, other = cluster.url(), cluster.url()
    cluster.load(url, CLUSTER_DUMPS[-1])
    source = open_engine(url)
    upgrade(source, SITE_SCHEMA, NOW)
    with source.begin() as connection:
        # A key that was given and is gone must not come again.
        connection.exec_driver_sql("SELECT setval('webhook_id_seq', 70)")
    before = contents(source)
    world.settings["database"] = {"url": url}
    (world.root / "bootz.yaml").write_text(f"database: {{url: '{url}'}}\n")
    backup, file = tmp_path / "site.tar", tmp_path / "file"
    bootz("--site", world.root, "backup", backup)
    error = bootz("restore", backup, file, "--without-keys", code=1)["error"]
    assert error["reason"] == "backup-database"
    words = ["--without-keys", "--database"]
    bootz("restore", backup, file, *words, "sqlite:///bootz.db")

    engine = sqlite_engine(file / "bootz.db")
    expect_same(before, contents(engine))
    with engine.connect() as connection:
        seq = "SELECT seq FROM sqlite_sequence WHERE name = 'webhook'"
        assert connection.exec_driver_sql(seq).scalar() == 70
    engine.dispose()

    bootz("--site", file, "backup", tmp_path / "second.tar")
    back = tmp_path / "back"
    bootz("restore", tmp_path / "second.tar", back, *words, other)
    target = open_engine(other)
    expect_same(before, contents(target))
    with target.begin() as connection:
        assert connection.exec_driver_sql("SELECT nextval('webhook_id_seq')").scalar() == 71
    error = bootz("restore", backup, tmp_path / "third", *words, other, code=1)["error"]
    assert error["reason"] == "database-in-use"
    assert not (tmp_path / "third").exists()
    source.dispose()
    target.dispose()


def expect_same(
    before: dict[str, list[dict[str, object]]], after: dict[str, list[dict[str, object]]]
) -> None:
    for table, rows in before.items():
        if table not in {"audit", "meta", "site_secret", "server"}:
            assert [normal(row) for row in after[table]] == [normal(row) for row in rows], table
    assert len(after["audit"]) > len(before["audit"])


def normal(row: dict[str, object]) -> dict[str, object]:
    return {name: bool(v) if isinstance(v, bool | int) else v for name, v in row.items()}


def damages(content: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Return whole backups and parts of them that are not one."""
    flipped = {
        f"flip {name}": {**content, name: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]}
        for name, data in content.items()
        if name != "backup.json"
    }
    listed = json.loads(content["backup.json"])
    rest = {name: data for name, data in content.items() if name != "backup.json"}
    forms = {
        "other form": {**listed, "form": 9},
        "unknown key": {**listed, "more": 1},
        "unknown file": {**listed, "members": {**listed["members"], "../x": {}}},
        "nothing listed": {**listed, "members": {}},
    }
    return {
        **flipped,
        "no list": rest,
        "list first": {"backup.json": content["backup.json"], **rest},
        "unlisted file": {"images/" + "0" * 64: b"x", **content},
        "path": {"../evil": b"x", **content},
        "no database": {k: v for k, v in content.items() if k != "database.sqlite"},
        "twice": {**rest, "backup.json": content["backup.json"][:-2] + b',"form":1}'},
        **{
            name: {**rest, "backup.json": json.dumps(form).encode()} for name, form in forms.items()
        },
    }


def test_what_is_damaged_is_not_restored(
    ready: World, tmp_path: Path, bootz: Bootz, passphrase: Path
) -> None:
    good, bad = tmp_path / "good.tar", tmp_path / "bad.tar"
    words = ["--with-keys", "--passphrase-file", passphrase]
    bootz("--site", ready.root, "backup", good, *words)
    assert bootz("restore", good, "--check")["keys"] == "passphrase"
    whole = good.read_bytes()
    cases = damages(members(good))
    for name, content in cases.items():
        rewritten(bad, content)
        error = bootz("restore", bad, tmp_path / "again", "--without-keys", code=1)["error"]
        assert (name, error["reason"]) == (name, "backup-invalid")
        assert bootz("restore", bad, "--check", code=1)["error"]["reason"] == "backup-invalid"
    for length in (0, 100, 600, len(whole) // 2, whole.rindex(b"backup.json") + 700):
        bad.write_bytes(whole[:length])
        error = bootz("restore", bad, tmp_path / "again", "--without-keys", code=1)["error"]
        assert (length, error["reason"]) == (length, "backup-invalid")
    wrong = secret_file(tmp_path / "wrong", "another phrase")
    words = [tmp_path / "again", "--passphrase-file", wrong]
    assert bootz("restore", good, *words, code=1)["error"]["reason"] == "backup-sealed"
    assert not (tmp_path / "again").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_database_that_is_none_is_not_restored(
    ready: World, tmp_path: Path, bootz: Bootz
) -> None:
    import hashlib

    good, bad = tmp_path / "good.tar", tmp_path / "bad.tar"
    bootz("--site", ready.root, "backup", good)
    content = members(good)
    for data in (b"no database at all" * 100, content["database.sqlite"][:8192]):
        listed = json.loads(content["backup.json"])
        digest = hashlib.sha256(data).hexdigest()
        listed["members"]["database.sqlite"] = {"size": len(data), "sha256": digest}
        changed = {**content, "database.sqlite": data, "backup.json": json.dumps(listed).encode()}
        rewritten(bad, changed)
        error = bootz("restore", bad, tmp_path / "again", "--without-keys", code=1)["error"]
        assert error["reason"] == "backup-invalid"
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["backup", "x.tar", "--with-keys"],
        ["backup", "x.tar", "--recipient", "age1x"],
        ["restore", "{file}"],
        ["restore", "{file}", "again"],
        ["restore", "{file}", "again", "--check"],
        ["restore", "{file}", "again", "--without-keys", "--passphrase-file", "{file}"],
    ],
)
def test_words_that_do_not_go_together(words: list[str], ready: World, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert run(["--site", str(ready.root), *(word.format(file=file) for word in words)]) == 2


def test_nothing_is_overwritten_and_a_wrong_recipient_is_named(
    ready: World, tmp_path: Path, bootz: Bootz
) -> None:
    there = tmp_path / "there.tar"
    there.write_bytes(b"mine")
    error = bootz("--site", ready.root, "backup", there, code=1)["error"]
    assert error["reason"] == "file-exists"
    assert there.read_bytes() == b"mine"
    words = ["--with-keys", "--recipient", "age1nonsense"]
    error = bootz("--site", ready.root, "backup", tmp_path / "new.tar", *words, code=1)["error"]
    assert error["reason"] == "backup-recipient"
    assert not (tmp_path / "new.tar").exists()
    bootz("--site", ready.root, "backup", tmp_path / "new.tar")
    error = bootz("restore", tmp_path / "new.tar", ready.root, "--without-keys", code=1)["error"]
    assert error["reason"] == "site-exists"


def test_a_kill_leaves_a_whole_backup_or_none(ready: World, tmp_path: Path, bootz: Bootz) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    file = folder / "site.tar"
    for _ in killed_runs(["--site", str(ready.root), "backup", str(file)], folder, every=3):
        if file.exists():
            bootz("restore", file, "--check")
            break
    bootz("restore", file, "--check")


def test_a_kill_leaves_a_whole_site_or_none(ready: World, tmp_path: Path, bootz: Bootz) -> None:
    file, folder = tmp_path / "site.tar", tmp_path / "sites"
    bootz("--site", ready.root, "backup", file)
    folder.mkdir()
    again = folder / "again"
    for _ in killed_runs(["restore", str(file), str(again), "--without-keys"], folder, every=7):
        if again.exists():
            break
    assert len(bootz("--site", again, "chassis", "list")) == 2
    assert [path.name for path in folder.iterdir()] == ["again"]


def test_an_image_that_is_damaged_is_said_and_left_out(
    ready: World, tmp_path: Path, bootz: Bootz
) -> None:
    for name in ("a", "b", "c"):
        path = tmp_path / f"{name}.img"
        path.write_bytes(f"image {name}\n".encode())
        bootz("--site", ready.root, "image", "add", path, "--name", name, "--version", "1")
    database = sqlite3.connect(ready.root / "bootz.db")
    digests = dict(database.execute("SELECT name, sha256 FROM image"))
    database.close()
    images = ready.root / "images"
    (images / digests["a"]).unlink()
    (images / digests["b"]).chmod(0o600)
    (images / digests["b"]).write_bytes(b"image B\n")
    told = bootz("--site", ready.root, "backup", tmp_path / "site.tar", "--images")
    kept = [line for line in told["left_out"] if line.startswith("image ")]
    assert sorted(kept) == sorted(
        [
            f"image {digests['a']}: its file is missing, or has another size",
            f"image {digests['b']}: its file is damaged",
        ]
    )
    bootz("restore", tmp_path / "site.tar", tmp_path / "again", "--without-keys")
    restored = {path.name for path in (tmp_path / "again" / "images").iterdir()}
    assert restored == {digests["c"]}
