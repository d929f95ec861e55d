"""The lines of a service's log, in a process of their own: their set-up is the process's."""

import json
import re
import subprocess
import sys

SCRIPT = """
import io, logging, sys
from bootz.cli.logs import configure_log
from bootz.log import get_logger

log = get_logger()
configure_log("json", "info", worker=3)
log.info("first", peer="127.0.0.1:1", cards=1, at="not this")
log.debug("not written")
log.warning("second", told=["\\u00e9", None])
try:
    raise ValueError("a defect")
except ValueError:
    log.exception("third")
logging.getLogger("library").warning("fourth %s", 4)
before, sys.stderr = sys.stderr, io.StringIO()
log.info("elsewhere")
there, sys.stderr = sys.stderr.getvalue(), before
assert "elsewhere" in there
log.error("fifth", kind=ValueError)
"""


def test_every_line_is_json_with_its_level_time_and_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True, timeout=60
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    told = [(line["event"], line["level"], line["worker"]) for line in lines]
    assert told == [
        ("first", "info", 3),
        ("second", "warning", 3),
        ("third", "error", 3),
        ("fourth 4", "warning", 3),
        ("fifth", "error", 3),
    ]
    assert list(lines[0]) == ["peer", "cards", "at", "event", "level", "worker"]
    assert list(lines[1]) == ["told", "event", "level", "at", "worker"]
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", line["at"])
    assert r'"\u00e9"' in done.stderr
    assert lines[2]["exception"].endswith("ValueError: a defect")
    assert lines[3]["logger"] == "library"
    assert lines[4]["kind"] == repr(ValueError)
