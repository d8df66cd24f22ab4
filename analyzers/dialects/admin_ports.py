"""A port of an admin policy as v1alpha1 writes it."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.dialects.admin_rules import AdminReader, named_port, port_range
from analyzers.model.manifest import Field
from analyzers.model.metadata import read_port_number, read_protocol
from analyzers.model.policy import NumberedPorts, PortMatch
from analyzers.sets.intervals import IntervalSet

_FIELDS = ("portNumber", "portRange", "namedPort")


def read_port(reader: AdminReader, field: Field) -> Iterator[PortMatch]:
    """One entry of `ports`: a number, a range or a name; TCP where no protocol is written."""
    reader.check_known(field, _FIELDS)
    kind, port = reader.only(field, _FIELDS)
    if kind == "namedPort":
        yield from named_port(port)
    elif kind == "portNumber":
        reader.check_known(port, ("protocol", "port"))
        number = read_port_number(port["port"])
        yield NumberedPorts(read_protocol(port["protocol"]), IntervalSet(((number, number),)))
    else:
        reader.check_known(port, ("protocol", "start", "end"))
        yield port_range(read_protocol(port["protocol"]), port)
