"""From a tree of files to what its manifests mean. The only stage of the analysis that reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from analyzers.manifests.defects import Unparsable
from analyzers.manifests.kustomizations import Kustomization, is_kustomization_name, read_kustomization
from analyzers.manifests.limits import DEFAULT_LIMITS, Limits, NodeBudget
from analyzers.manifests.listing import Listing, is_manifest_name
from analyzers.manifests.prescan import Wanted
from analyzers.manifests.reading import read_file
from analyzers.manifests.shelf import FileReading, MemoryShelf, Shelf, ShelfKey, content_id_of
from analyzers.manifests.templates import Charts, rendering_diagnostics, template_mark_line
from analyzers.manifests.tree import Entry, Tree, Unreadable
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest

Item = TypeVar("Item")

BATCH = 512
"""Files that are looked up, read and kept together."""


class Layout(Struct, frozen=True, array_like=True):
    """What of a tree decides how a single file in it is read: how many files, bytes and values (aliases expanded) count against its caps,
    its charts, the files that kustomizations name as patches, and whether links, submodules or kustomizations speak of other paths."""

    files: int
    bytes: int
    nodes: int
    charts: frozenset[str]
    patches: frozenset[str]
    refers: bool


class Loaded(Struct, Generic[Item], frozen=True):
    """What a tree holds: what its wanted manifests were made into, by (path, line), its diagnostics in report order, how it is laid out,
    and every file that it lists, by path."""

    found: tuple[Item, ...]
    diagnostics: tuple[Diagnostic, ...]
    layout: Layout
    listed: Mapping[str, Entry]

    @property
    def files(self) -> int:
        """How many files were read."""
        return self.layout.files

    @property
    def bytes(self) -> int:
        """How many bytes they hold."""
        return self.layout.bytes


class Interest(Struct, Generic[Item], frozen=True):
    """Which objects are loaded, and what is made of each: a pure function of the manifest."""

    wanted: Wanted
    interpret: Callable[[Manifest], Item]


def load(
    tree: Tree,
    interest: Interest[Item],
    limits: Limits = DEFAULT_LIMITS,
    shelf: Shelf[Item] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Loaded[Item]:
    """What is made of the wanted manifests of a tree, whatever the order in which the tree lists its files.

    Files named .yaml, .yml and .json are read, and kustomizations; a file that `shelf` knows is not parsed again, nor read where the tree
    names its content. `progress` is told how many of how many files are done. What cannot be read is a diagnostic, and all else is read.
    Documents of unwanted kinds are passed over, most of them unparsed, so errors within them may go unreported."""
    return _Loader(tree, interest, limits, MemoryShelf() if shelf is None else shelf).load(progress or _unseen)


def _unseen(done: int, total: int) -> None:
    """Nobody watches."""


class _Loader(Generic[Item]):
    """One run of `load`; collects as it goes."""

    def __init__(self, tree: Tree, interest: Interest[Item], limits: Limits, shelf: Shelf[Item]) -> None:
        self._tree, self._interest, self._limits, self._shelf = tree, interest, limits, shelf
        self._listing = Listing(tree.entries())
        self._charts = Charts(entry.path for entry in self._listing.files)
        self._found: list[tuple[str, tuple[Item, ...]]] = []
        self._diagnostics = list(self._listing.diagnostics())
        self._template_lines: dict[str, int] = {}
        self._nodes_left = limits.tree_nodes
        self._files = self._bytes = 0

    def load(self, progress: Callable[[int, int], None]) -> Loaded[Item]:
        """Kustomizations first, because they tell which files are patches; then every other file."""
        templates, kustomizations, plain = self._sorted_out()
        patches = self._read_kustomizations(kustomizations)
        admitted = self._admitted(entry for entry in plain if entry.path not in patches)
        for start in range(0, len(admitted), BATCH):
            progress(start, len(admitted))
            if not all(self._take(entry.path, reading) for entry, reading in self._readings(admitted[start : start + BATCH])):
                break
        self._locate_templates(templates)
        self._diagnostics += rendering_diagnostics(self._template_lines, self._charts)
        diagnostics = sorted(set(self._diagnostics), key=lambda diagnostic: diagnostic.sort_key)
        found = tuple(item for _, items in sorted(self._found, key=lambda each: each[0]) for item in items)
        listed = {entry.path: entry for entry in self._listing.files}
        return Loaded(found, tuple(diagnostics), self._layout(patches, bool(kustomizations)), listed)

    def _layout(self, patches: frozenset[str], kustomized: bool) -> Layout:
        nodes = self._limits.tree_nodes - self._nodes_left
        refers = kustomized or bool(self._listing.links or self._listing.submodules)
        return Layout(self._files, self._bytes, nodes, self._charts.roots, patches, refers)

    def _readings(self, entries: list[Entry]) -> Iterator[tuple[Entry, FileReading[Item]]]:
        """The readings of some files: known ones from the shelf, the others read, and kept for the next time."""
        keys = {entry.path: ShelfKey(entry.content_id, entry.path) for entry in entries}
        known = self._shelf.recall(key for key in keys.values() if key.content_id)
        contents = {entry.path: data for entry, data in self._contents(each for each in entries if keys[each.path] not in known)}
        unnamed = {path: ShelfKey(content_id_of(data), path) for path, data in contents.items() if not keys[path].content_id}
        if unnamed:
            keys, known = keys | unnamed, {**known, **self._shelf.recall(unnamed.values())}
        fresh: dict[ShelfKey, FileReading[Item]] = {}
        for entry in entries:
            key = keys[entry.path]
            reading = known.get(key)
            if reading is None and entry.path in contents:
                # What the cap on the whole tree may have cut short says nothing about the file.
                whole = self._nodes_left >= self._limits.nodes
                reading = self._read(entry.path, contents[entry.path])
                if whole:
                    fresh[key] = reading
            if reading is not None:
                self._bytes += 0 if entry.size else reading.size  # some trees do not tell before
                yield entry, reading
        self._shelf.keep(fresh)

    def _sorted_out(self) -> tuple[list[Entry], list[Entry], list[Entry]]:
        """The chart templates, the kustomizations and the other manifest files, in path order."""
        templates, kustomizations, plain = [], [], []
        for entry in self._listing.files:
            if self._charts.is_template(entry.path):
                if is_manifest_name(entry.path):
                    templates.append(entry)
            elif is_kustomization_name(entry.path):
                kustomizations.append(entry)
            elif is_manifest_name(entry.path):
                plain.append(entry)
        return templates, kustomizations, plain

    def _contents(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """What of these files can be read."""
        for entry, data in self._tree.read(entries):
            if isinstance(data, Unreadable):
                self._files -= 1
                self._bytes -= entry.size
                self._report("unreadable-file", data.reason, entry)
            elif len(data) > self._limits.file_bytes:
                self._report_size(entry)
            else:
                yield entry, data

    def _admitted(self, entries: Iterable[Entry]) -> list[Entry]:
        """The files within the caps on bytes and files; the first beyond a cap on the whole tree ends it."""
        limits, admitted = self._limits, []
        for entry in entries:
            if entry.size > limits.file_bytes:
                self._report_size(entry)
                continue
            if self._files + 1 > limits.files or self._bytes + entry.size > limits.tree_bytes:
                what = f"{limits.files} manifest files or {limits.tree_bytes} bytes"
                self._report("limit-exceeded", f"the tree holds more than {what}; this file and those after it are not read", entry)
                break
            self._files += 1
            self._bytes += entry.size
            admitted.append(entry)
        return admitted

    def _read_kustomizations(self, entries: list[Entry]) -> frozenset[str]:
        """Read what kustomizations say, and the manifests that stand in the same files. Returns the paths that are only patches."""
        found: list[Kustomization] = []
        for entry, data in self._contents(self._admitted(entries)):
            if not self._take(entry.path, self._read(entry.path, data)):
                break
            try:
                kustomization = read_kustomization(entry.path, data, self._listing, self._limits, self._budget())
            except Unparsable as error:
                if entry.path not in self._template_lines:
                    self._diagnostics.append(Diagnostic(error.defect.code, error.defect.message, entry.path, error.defect.line))
                continue
            if kustomization is not None:
                found.append(kustomization)
        self._diagnostics += (each.diagnostic for each in found if each.diagnostic is not None)
        return frozenset().union(*(each.patches for each in found)) - frozenset().union(*(each.resources for each in found))

    def _read(self, path: str, data: bytes) -> FileReading[Item]:
        """Parse one file."""
        reading = read_file(path, data, self._interest.wanted, self._limits, self._budget())
        found = tuple(map(self._interest.interpret, reading.found))
        return FileReading(found, reading.diagnostics, reading.template_line, reading.nodes, len(data))

    def _take(self, path: str, reading: FileReading[Item]) -> bool:
        """Add what one file holds; false when the tree holds more values than may be read."""
        self._nodes_left -= reading.nodes
        self._found.append((path, reading.found))
        if reading.diagnostics:
            quiet = is_kustomization_name(path) or self._charts.is_own_file(path)
            self._diagnostics += (each for each in reading.diagnostics if not quiet or each.code != "not-an-object")
        if reading.template_line is not None:
            self._template_lines[path] = reading.template_line
        if self._nodes_left > 0:
            return True
        message = f"the tree holds more than {self._limits.tree_nodes} values; the files after this one are not read"
        self._diagnostics.append(Diagnostic("limit-exceeded", message, path))
        return False

    def _budget(self) -> NodeBudget:
        return NodeBudget(max(min(self._limits.nodes, self._nodes_left), 0))

    def _locate_templates(self, entries: list[Entry]) -> None:
        """Count the templates of charts; of each chart only the first is read, to name the line of its first expression."""
        firsts: dict[str | None, Entry] = {}
        for entry in entries:
            self._template_lines[entry.path] = 1
            firsts.setdefault(self._charts.chart_of(entry.path), entry)
        for entry, data in self._contents(self._admitted(firsts.values())):
            self._template_lines[entry.path] = template_mark_line(data.decode("utf-8", "replace"))

    def _report_size(self, entry: Entry) -> None:
        self._report("limit-exceeded", f"larger than {self._limits.file_bytes} bytes; it is not read", entry)

    def _report(self, code: str, message: str, entry: Entry) -> None:
        self._diagnostics.append(Diagnostic(code, message, entry.path))
