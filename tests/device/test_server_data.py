"""The line of the stored server data (S5), whatever stands around it."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from bootz.device.openconfig import InvalidConfiguration
from bootz.device.server_data import ServerData, find_server_data, without_server_line


@given(
    st.ip_addresses().map(str),
    st.integers(1, 65535),
    st.lists(st.from_regex(r"[a-z0-9][a-z0-9.-]{0,8}", fullmatch=True), min_size=1, max_size=4),
    st.lists(st.sampled_from(["hostname r1", "!", "interface X", " ip address dhcp"]), max_size=4),
)
def test_a_line_that_is_written_is_read(
    address: str, port: int, path: list[str], around: list[str]
) -> None:
    data = ServerData(address, port, "/misc/" + "/".join(path))
    text = "".join(f"{line}\r\n" for line in [*around, data.line, *around])
    assert find_server_data(text) == data
    assert data.uri.port == port
    left = without_server_line(text)
    assert find_server_data(left) is None
    assert left.splitlines() == [*around, *around]


@given(st.text(alphabet=st.sampled_from("ztp bootz-server ip port 1.:/misc\n\t[]"), max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    data = None
    with contextlib.suppress(InvalidConfiguration):
        data = find_server_data(text)
    assert data is None or data.trust_anchor.startswith("/misc/")


def test_of_several_lines_the_last_counts() -> None:
    line = "ztp bootz-server ip 1.1.1.{} port 5000 trust-anchor /misc/disk1/ta.cert\n"
    found = find_server_data(line.format(1) + line.format(2))
    assert found is not None
    assert found.address == "1.1.1.2"
