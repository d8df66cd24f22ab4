"""What is asked about one pair."""

from __future__ import annotations

import re

from msgspec import Struct

from analyzers.sets.connections import PORTS, Protocol


class ExplainError(Exception):
    """The question cannot be answered as asked. `reason` is `unknown-endpoint`, `invalid-port` or `not-uniform`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PortQuestion(Struct, frozen=True):
    """One port of one protocol, as asked for."""

    number: int
    protocol: Protocol

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


def parse_port(text: str) -> PortQuestion:
    """`8080/TCP`, `53/udp` or `8080` (TCP). Raises ExplainError."""
    found = re.fullmatch(r"(\d{1,5})(?:/([A-Za-z]+))?", text)
    protocol = (found[2] or "TCP").upper() if found else ""
    if not found or int(found[1]) not in PORTS or protocol not in Protocol.__members__:
        raise ExplainError("invalid-port", f"{text!r} is not a port such as 8080/TCP (1 to 65535; TCP, UDP or SCTP)")
    return PortQuestion(int(found[1]), Protocol(protocol))
