"""Trees written down in a test: files, links and submodules by path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analyzers.manifests.limits import DEFAULT_LIMITS, Limits
from analyzers.manifests.load import Interest, Loaded, load
from analyzers.manifests.tree import Entry, EntryKind, Unreadable
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest, YamlMap, YamlValue

CLAIMED = frozenset({("", "Pod"), ("", "Namespace"), ("apps", "Deployment"), ("networking.k8s.io", "NetworkPolicy")})


def wanted(group: str, kind: str) -> bool:
    """What the tests of the loader claim: a few kinds, and whatever is called a NetworkPolicy."""
    return (group, kind) in CLAIMED or kind.endswith("NetworkPolicy")


def _as_written(manifest: Manifest) -> Manifest:
    return manifest


AS_WRITTEN = Interest(wanted, _as_written)


@dataclass(frozen=True)
class WrittenTree:
    """A tree as a test writes it; lists its paths in the order written."""

    files: Mapping[str, str | bytes | Unreadable] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    submodules: Sequence[str] = ()
    was_read: list[str] = field(default_factory=list)

    def entries(self) -> Iterable[Entry]:
        """Every path."""
        yield from (Entry(path, EntryKind.FILE, len(_bytes(content)), "") for path, content in self.files.items())
        yield from (Entry(path, EntryKind.LINK, len(target), "", target) for path, target in self.links.items())
        yield from (Entry(path, EntryKind.SUBMODULE, 0, "") for path in self.submodules)

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """The content of each file; notes which were read."""
        for entry in entries:
            self.was_read.append(entry.path)
            content = self.files[entry.path]
            yield entry, content if isinstance(content, Unreadable) else _bytes(content)


def _bytes(content: str | bytes | Unreadable) -> bytes:
    return b"" if isinstance(content, Unreadable) else content if isinstance(content, bytes) else content.encode()


def load_text(text: str | bytes, path: str = "a.yaml", limits: Limits = DEFAULT_LIMITS) -> Loaded[Manifest]:
    """What one file holds."""
    return load(WrittenTree({path: text}), AS_WRITTEN, limits)


def load_files(files: Mapping[str, str | bytes | Unreadable], limits: Limits = DEFAULT_LIMITS) -> Loaded[Manifest]:
    """What some files hold."""
    return load(WrittenTree(files), AS_WRITTEN, limits)


def told(loaded: Loaded[Manifest]) -> list[tuple[str, str | None, int | None]]:
    """The diagnostics as (code, path, line)."""
    return [(each.code, each.path, each.line) for each in loaded.diagnostics]


def only(loaded: Loaded[Manifest]) -> Diagnostic:
    """The one diagnostic there is."""
    (diagnostic,) = loaded.diagnostics
    return diagnostic


def titles(loaded: Loaded[Manifest]) -> list[str]:
    """The manifests that were found."""
    return [manifest.title for manifest in loaded.found]


def plain(value: YamlValue) -> object:
    """A value without its lines."""
    if isinstance(value, YamlMap):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def policy(name: str) -> str:
    """The text of a small NetworkPolicy."""
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: {name}\nspec: {{podSelector: {{}}}}\n"
