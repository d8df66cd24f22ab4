"""The parse cache: nothing is parsed twice, and nothing that is not what was kept is believed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import analyzers
from analyzers.interest import INTEREST
from analyzers.manifests.limits import DEFAULT_LIMITS, Limits
from analyzers.manifests.load import load
from analyzers.manifests.shelf import FileReading, ShelfKey
from analyzers.model.records import ObjectRecord
from service.kept_entries import KeptEntries
from service.own_code import digest_of_analysis
from service.parse_cache import ParseCache
from tests.conftest import ROOT
from tests.oracle.cases import case
from tests.property.product import MemoryTree

FILES = case(7).base_files
KEYS = [ShelfKey(entry.content_id, entry.path) for entry in MemoryTree(FILES).entries()]


@contextmanager
def opened(folder: Path, limits: Limits = DEFAULT_LIMITS, largest: int = 2**20) -> Iterator[ParseCache]:
    with closing(KeptEntries(folder, largest)) as entries:
        yield ParseCache(entries, limits)


def filled(folder: Path) -> dict[ShelfKey, FileReading[ObjectRecord]]:
    """Fill a cache by loading, and close it; what it then holds."""
    with opened(folder) as cache:
        load(MemoryTree(FILES), INTEREST, shelf=cache)
    return recalled(folder)


def recalled(folder: Path, limits: Limits = DEFAULT_LIMITS) -> dict[ShelfKey, FileReading[ObjectRecord]]:
    with opened(folder, limits) as cache:
        return dict(cache.recall(KEYS))


@pytest.fixture
def table(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A filled cache, opened behind its back."""
    assert filled(tmp_path / "cache")
    with closing(sqlite3.connect(tmp_path / "cache" / "readings.sqlite")) as connection:
        yield connection


def test_every_file_is_recalled_as_it_was_read(tmp_path: Path) -> None:
    kept = filled(tmp_path)
    assert set(kept) == set(KEYS)
    with opened(tmp_path) as cache:
        plain, from_cache = load(MemoryTree(FILES), INTEREST), load(Refusing(FILES), INTEREST, shelf=cache)
    assert (plain.found, plain.diagnostics, plain.files) == (from_cache.found, from_cache.diagnostics, from_cache.files)


class Refusing(MemoryTree):
    """A tree that lists its files and is never read."""

    def read(self, entries):  # type: ignore[no-untyped-def]
        assert not list(entries)
        return iter(())


DAMAGES = [
    "update readings set content = zeroblob(40)",
    "update readings set content = substr(content, 1, length(content) - 1)",
    "update readings set digest = zeroblob(16)",
    "update readings set content = null",
    "update readings set digest = 'text', content = 'text'",
    # Each entry in the place of another, content and digest together.
    "create table was as select * from readings;"
    "update readings set (digest, content) = (select digest, content from was where was.key <> readings.key limit 1)",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_swapped_entry_is_not_believed(tmp_path: Path, table: sqlite3.Connection, damage: str) -> None:
    table.executescript(damage)
    assert recalled(tmp_path / "cache") == {}
    with opened(tmp_path / "cache") as cache:
        assert load(MemoryTree(FILES), INTEREST, shelf=cache).found == load(MemoryTree(FILES), INTEREST).found
    assert set(recalled(tmp_path / "cache")) == set(KEYS)


BASELINE = b"what is known of a base"


def baseline_of(folder: Path, name: str = "base", limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    with opened(folder, limits) as cache:
        return cache.recall_baseline(name)


@pytest.fixture
def with_baseline(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A cache that holds a baseline beside readings, opened behind its back."""
    filled(tmp_path / "cache")
    with opened(tmp_path / "cache") as cache:
        cache.keep_baseline("base", BASELINE)
        cache.keep_baseline("other", BASELINE[::-1])
    with closing(sqlite3.connect(tmp_path / "cache" / "readings.sqlite")) as connection:
        yield connection


def test_a_baseline_is_recalled_by_its_name_caps_and_code(tmp_path: Path, with_baseline: sqlite3.Connection) -> None:
    folder = tmp_path / "cache"
    assert (baseline_of(folder), baseline_of(folder, "other")) == (BASELINE, BASELINE[::-1])
    assert baseline_of(folder, "unknown") is None
    assert baseline_of(folder, limits=Limits(depth=3)) is None
    assert set(recalled(folder)) == set(KEYS)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_swapped_baseline_is_not_believed(tmp_path: Path, with_baseline: sqlite3.Connection, damage: str) -> None:
    with_baseline.executescript(damage)
    assert baseline_of(tmp_path / "cache") is None
    with opened(tmp_path / "cache") as cache:
        cache.keep_baseline("base", BASELINE)
    assert baseline_of(tmp_path / "cache") == BASELINE


def test_a_baseline_makes_room_like_any_entry(tmp_path: Path, with_baseline: sqlite3.Connection) -> None:
    with_baseline.execute("update readings set used = 1")
    with_baseline.commit()
    with opened(tmp_path / "cache", largest=10) as cache:
        cache.keep_baseline("new", BASELINE)
    assert with_baseline.execute("select count(*) from readings where used = 1").fetchone() == (0,)


def test_a_cache_of_another_secret_is_not_believed(tmp_path: Path, table: sqlite3.Connection) -> None:
    (tmp_path / "cache" / "readings.key").write_bytes(b"another secret of thirty-two byt")
    assert recalled(tmp_path / "cache") == {}


def test_a_secret_that_is_not_all_there_is_not_used(tmp_path: Path, table: sqlite3.Connection) -> None:
    (tmp_path / "cache" / "readings.key").write_bytes(b"")
    assert recalled(tmp_path / "cache") == {}


def test_other_caps_read_anew(tmp_path: Path) -> None:
    filled(tmp_path)
    assert recalled(tmp_path, Limits(depth=3)) == {}


def test_other_code_reads_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "cache")
    shutil.copytree(ROOT / "analyzers", tmp_path / "analyzers")
    monkeypatch.setattr(analyzers, "__file__", str(tmp_path / "analyzers" / "__init__.py"))
    digest_of_analysis.cache_clear()  # a process reads its code once
    assert set(recalled(tmp_path / "cache")) == set(KEYS)
    with (tmp_path / "analyzers" / "dialects" / "networkpolicy.py").open("a") as stream:
        stream.write("# a rule read otherwise\n")
    digest_of_analysis.cache_clear()
    assert recalled(tmp_path / "cache") == {}
    digest_of_analysis.cache_clear()


@pytest.mark.parametrize("garbage", [b"", b"no database at all, only text " * 400])
def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "readings.sqlite").write_bytes(garbage)
    assert set(filled(tmp_path)) == set(KEYS)


def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with opened(tmp_path / "file" / "cache") as cache:
        assert load(MemoryTree(FILES), INTEREST, shelf=cache).found
        assert cache.recall(KEYS) == {}


def test_a_file_whose_name_is_no_unicode_is_read_and_not_kept(tmp_path: Path) -> None:
    tree = MemoryTree({"odd-\udcff.yaml": next(iter(FILES.values()))})
    for _ in range(2):
        with opened(tmp_path / "cache") as cache:
            assert load(tree, INTEREST, shelf=cache).found
            assert not cache.recall(ShelfKey(entry.content_id, entry.path) for entry in tree.entries())


def test_the_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    filled(tmp_path)
    assert (tmp_path / "readings.key").stat().st_mode & 0o777 == 0o600


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path, table: sqlite3.Connection) -> None:
    table.execute("update readings set used = 1 where key in (select key from readings limit 1)")
    table.commit()
    ((held,),) = table.execute("select sum(length(content)) from readings")
    with opened(tmp_path / "cache", largest=held - 1) as cache:
        cache.keep({ShelfKey("new", "new.yaml"): FileReading((), ())})
    assert table.execute("select count(*) from readings where used = 1").fetchone() == (0,)


def test_only_as_much_goes_as_there_is_no_room_for(tmp_path: Path) -> None:
    def entries(generation: int) -> list[tuple[bytes, bytes]]:
        return [(f"{generation} {number}".encode(), os.urandom(500)) for number in range(1_000)]

    with closing(KeptEntries(tmp_path)) as kept:
        kept.keep([each for generation in (1, 2, 3) for each in entries(generation)])
    with closing(sqlite3.connect(tmp_path / "readings.sqlite")) as connection:
        connection.execute("update readings set used = cast(substr(cast(key as text), 1, 1) as integer)")
        connection.commit()
        assert (tmp_path / "readings.sqlite").stat().st_size > 1_500_000
        with closing(KeptEntries(tmp_path, largest=1_500_000)) as kept:
            kept.keep([(b"4", b"new")])
        with closing(KeptEntries(tmp_path)) as kept:
            assert set(kept.recall([b"1 7", b"2 7", b"3 7", b"4"])) == {b"2 7", b"3 7", b"4"}


WRITER = """
import sys
from pathlib import Path
import analyzers
from analyzers.manifests.load import load
from analyzers.interest import INTEREST
from service.parse_cache import remembering
from tests.oracle.cases import case
from tests.property.product import MemoryTree
print("ready", flush=True)
while True:
    for seed in range(8):
        with remembering(Path(sys.argv[1])) as cache:
            load(MemoryTree(case(seed).base_files), INTEREST, shelf=cache)
            cache.keep_baseline(str(seed), b"baseline " * 9000 + str(seed).encode())
            assert cache.recall_baseline(str(seed)) == b"baseline " * 9000 + str(seed).encode()
        print(seed, flush=True)
"""


def test_several_processes_share_it_and_a_killed_one_leaves_it_whole(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for writer in writers:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.strip() == "7":
                break
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
    assert set(recalled(tmp_path)) == set(KEYS)
    assert baseline_of(tmp_path, "5") == b"baseline " * 9000 + b"5"
    with closing(sqlite3.connect(tmp_path / "readings.sqlite")) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_what_a_renderer_wrote_is_recalled_by_its_name_apart_from_baselines(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.keep_output("base", b"kind: List")
        assert (cache.recall_output("base"), cache.recall_output("other"), cache.recall_baseline("base")) == (b"kind: List", None, None)
