"""`.flowdelta.yaml`, the configuration that a repository carries: read from the base side, so that a change cannot loosen its own rules."""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct, field

from analyzers.configuration import NAME as NAME
from analyzers.configuration import SECTIONS as ANALYSIS_SECTIONS
from analyzers.configuration import AnalysisSettings, read_analysis
from analyzers.impact.assessment.severity import DEFAULT_RULES, SeverityRules
from analyzers.impact.assessment.severity_reading import SECTION as SEVERITY
from analyzers.impact.assessment.severity_reading import read_severity
from analyzers.manifests.defects import Unparsable
from analyzers.manifests.documents import read_documents
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.source import chunks, decode
from analyzers.model.manifest import Field, InvalidObject
from service.signoff.guardrails import Guardrails
from service.signoff.reading import SECTIONS, read_guardrails

_LIMITS: Final = Limits(depth=20, file_bytes=1_000_000, nodes=100_000, documents=2)


class ConfigurationError(Exception):
    """A configuration that cannot be used. The message names the file and the line."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path, self.line, self.problem = path, line, problem


class Configuration(Struct, frozen=True):
    """What a repository says of itself. `digest` is the SHA-256 of the file, empty where there is none."""

    guardrails: Guardrails = field(default_factory=Guardrails)
    digest: str = ""
    analysis: AnalysisSettings = field(default_factory=AnalysisSettings)
    severity: SeverityRules = DEFAULT_RULES


def read_configuration(data: bytes, path: str = NAME) -> Configuration:
    """The configuration of a file's bytes. Raises `ConfigurationError` for whatever is not understood, be it one field."""
    try:
        return _read(data, path)
    except Unparsable as error:
        raise ConfigurationError(path, error.defect.line, error.defect.message) from error
    except InvalidObject as error:
        raise ConfigurationError(path, error.line, error.message) from error


def _read(data: bytes, path: str) -> Configuration:
    if len(data) > _LIMITS.file_bytes:
        raise ConfigurationError(path, 1, f"the file has {len(data)} bytes; at most {_LIMITS.file_bytes} are read")
    budget = NodeBudget(_LIMITS.nodes)
    documents = [document for chunk in chunks(decode(data)) for document in read_documents(chunk, _LIMITS, budget)]
    stated = [document for document in documents if document.value is not None or document.defect]
    for document in stated:
        if document.defect is not None:
            raise ConfigurationError(path, document.defect.line, document.defect.message)
    if len(stated) != 1:
        line = stated[1].line if stated else 1
        raise ConfigurationError(path, line, "there is more than one document" if stated else "the file is empty; it must say version: 1")
    root = Field(stated[0].value, "", stated[0].line)
    digest = hashlib.sha256(data).hexdigest()
    root.only("version", *SECTIONS, *ANALYSIS_SECTIONS, SEVERITY)
    if root["version"].number() != 1:
        raise root["version"].fail("must be 1")
    return Configuration(read_guardrails(root, digest), digest, read_analysis(root), read_severity(root))
