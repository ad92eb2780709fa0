"""Ports: the usual one or the next free one, never the same one twice."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from traffic_platform.stack.errors import StackError
from traffic_platform.stack.ports import Ports, is_free

IP_LOCAL_PORT_RANGE = 51  # linux/in.h, since Linux 6.3; Python has no name for it
FIRST = 22432  # below the ports that Linux gives to outgoing connections
EPHEMERAL = 45432


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_in_use_is_skipped(tmp_path: Path, listener: int) -> None:
    assert not is_free(listener)
    assert Ports(tmp_path / "ports.json").reserve("kafka", listener) > listener


def test_a_port_in_use_on_all_interfaces_is_skipped(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        taken = server.getsockname()[1]
        assert Ports(tmp_path / "ports.json").reserve("kafka", taken) > taken


def test_two_stacks_that_choose_at_the_same_time_get_different_ports(tmp_path: Path) -> None:
    one, two = Ports(tmp_path / "one.json"), Ports(tmp_path / "two.json")
    chosen = [ports.reserve("kafka", FIRST) for ports in (one, two, one, two)]
    assert len(set(chosen)) == 4
    one.close()
    two.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot reserve a port")
def test_a_reserved_port_is_for_its_service_and_for_no_outgoing_connection(
    tmp_path: Path, listener: int
) -> None:
    ports = Ports(tmp_path / "ports.json")
    reserved = ports.reserve("kafka", EPHEMERAL)
    with pytest.raises(OSError, match=os.strerror(errno.EADDRNOTAVAIL)):
        connect_from(reserved, listener)
    socket.create_server(("127.0.0.1", reserved)).close()
    ports.close()
    connect_from(reserved, listener)


def connect_from(own: int, to: int) -> None:
    """Connect to a port from the port `own`."""
    only = struct.pack("I", own << 16 | own)
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, only)
        connection.connect(("127.0.0.1", to))


def test_a_restart_gets_its_former_port_even_when_an_earlier_one_is_free(
    tmp_path: Path, listener: int
) -> None:
    before = Ports(tmp_path / "ports.json")
    with socket.socket() as usual:
        usual.bind(("127.0.0.1", 0))
        usual.listen()
        first = usual.getsockname()[1]
        had = before.reserve("kafka", first)
        before.remember()
        before.close()
    after = Ports(tmp_path / "ports.json")
    assert after.reserve("kafka", first) == had
    after.close()


def test_a_changed_first_port_overrides_the_stored_port(tmp_path: Path) -> None:
    before = Ports(tmp_path / "ports.json")
    before.reserve("kafka", FIRST)
    before.remember()
    before.close()
    after = Ports(tmp_path / "ports.json")
    assert after.reserve("kafka", FIRST + 500) >= FIRST + 500
    after.close()


def test_without_a_free_port_the_error_names_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traffic_platform.stack.ports.is_free", lambda port: False)
    with pytest.raises(StackError, match="TRAFFIC_KAFKA_PORT"):
        Ports(tmp_path / "ports.json").reserve("kafka-controller", FIRST)
