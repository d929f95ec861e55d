"""A process of clients, as the one that measures sees it."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import Pipe
from pathlib import Path

from bootz.bench.client import ClientJob, ClientNews, run_client
from bootz.bench.factory import Factory
from bootz.bench.plan import IdentityKey


def test_a_failure_that_is_heard_no_more_ends_the_process_quietly(tmp_path: Path) -> None:
    factory = Factory(IdentityKey.P256, datetime.now(UTC))
    material = factory.material(tmp_path / "material", ["R1"], lambda *_: None)
    ours, theirs = Pipe()
    with ThreadPoolExecutor(1) as threads, socket.create_server(("127.0.0.1", 0)) as server:
        job = ClientJob(
            *(server.getsockname(), "current", material.manufacturer, material.part_number),
            *(material.vendor_ca, material.routers, 1, 1),
        )
        running = threads.submit(run_client, theirs)
        ours.send(job)
        assert ours.recv() == ClientNews(0)
        ours.send("go")
        peer, _ = server.accept()
        ours.close()
        peer.close()
        assert running.result(30) is None
