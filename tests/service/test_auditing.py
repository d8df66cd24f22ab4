"""`flowdelta audit`: the log on the command line, whole or tampered with, exported and replayed."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import cli
from service.review.consent import Consent, Saying
from service.settings import Settings
from service.signoff.approvals import Verb, Way
from service.signoff.records import guarded_json
from service.signoff.wording import shown_digest
from service.store import Store
from tests.service.forge_in_memory import BOB, MAIN, ForgeInMemory, environment
from tests.service.test_consent import H1, guardrail, opening


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A log with a decision, an approval with a hostile reason, and the decision that followed."""
    settings = Settings.from_environment(environment(str(tmp_path)))
    forge = ForgeInMemory(groups={"security": {BOB.id}})
    pull = forge.open(7, H1)
    with closing(Store.open(settings)) as store:
        consent = Consent(settings, store, forge, "github", "acme/shop")
        found: dict[str, Any] = {"configuration": "c1", "organisation": "", "guarded": [guarded_json(guardrail(5432))]}
        consent.judge(store.request("github", "acme/shop", "7", "test"), pull, ("b" * 40, H1), found)
        digest = shown_digest(opening(5432))
        consent.say(7, Saying(Verb.APPROVE, Way.COMMENT, BOB, "into-pci", digest, "=HYPERLINK()"), "901")
        consent.judge(store.request("github", "acme/shop", "7", "test"), pull, ("b" * 40, H1), found)
    return tmp_path


def flowdelta(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["audit", *arguments], env=environment(str(data)))


def change(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "flowdelta.sqlite3")) as database, database:
        database.execute(statement)


def newest(data: Path) -> str:
    with closing(Store.open(Settings.from_environment(environment(str(data))))) as store:
        return store.newest_hash()


def test_a_log_as_written_is_whole(data: Path) -> None:
    done = flowdelta(data, "verify", "--expect", newest(data))
    assert done.exit_code == 0
    assert done.stdout == f"The log is whole: 3 rows, the newest hash is {newest(data)}.\n"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET entry = replace(entry, 'bob', 'eve') WHERE number = 2", "row 2 is not what it was"),
        ("UPDATE audit SET pull = 8 WHERE number = 2", "row 2 does not stand where it was written"),
        ("UPDATE audit SET kind = 'noted' WHERE number = 2", "row 2 does not stand where it was written"),
        ("UPDATE audit SET entry = 'nothing' WHERE number = 2", "row 2 is not what it was"),
        ("DELETE FROM audit WHERE number = 2", "row 3 follows row 1"),
        ("DELETE FROM audit WHERE number = 3", "the log was cut or rewritten"),
        ("UPDATE audit SET number = -number WHERE number = 3", "row -3 does not stand"),
        ("DELETE FROM contents", "nothing is stored under"),
        ("UPDATE contents SET body = x'00'", "is damaged"),
    ],
)
def test_whatever_is_done_to_it_is_found(data: Path, statement: str, said: str) -> None:
    published = newest(data)
    change(data, statement)
    done = flowdelta(data, "verify", "--expect", published)
    assert done.exit_code == 1
    assert said in done.stdout


def test_what_is_no_hash_is_refused(data: Path) -> None:
    assert flowdelta(data, "verify", "--expect", "abc").exit_code == 2


def test_an_export_can_be_verified_without_us(data: Path) -> None:
    previous = "0" * 64
    for line in flowdelta(data, "export").stdout.splitlines():
        row = json.loads(line)
        entry = json.dumps(row["entry"], sort_keys=True, separators=(",", ":"))
        text = json.dumps([row["number"], previous, entry], separators=(",", ":"))
        assert (row["previous"], row["hash"]) == (previous, hashlib.sha256(text.encode()).hexdigest())
        previous = row["hash"]
    assert previous == newest(data)


def test_a_spreadsheet_shows_what_people_wrote_and_calculates_nothing(data: Path) -> None:
    rows = list(csv.DictReader(flowdelta(data, "export", "--format", "csv").stdout.splitlines()))
    assert [(row["kind"], row["person"], row["standing"]) for row in rows] == [
        ("decision", "", "waiting"),
        ("act", "bob", ""),
        ("decision", "", "approved"),
    ]
    assert rows[1]["reason"] == "'=HYPERLINK()"


def test_every_row_says_what_was_compared_by_which_rules_and_engine(data: Path) -> None:
    rows = list(csv.DictReader(flowdelta(data, "export", "--format", "csv").stdout.splitlines()))
    said = ("base", "base_commit", "commit", "configuration", "engine")
    assert [tuple(row[name] for name in said) for row in rows] == [(MAIN, "b" * 40, H1, "c1", "1")] * 3


def test_a_decision_is_made_again_from_its_record(data: Path) -> None:
    done = flowdelta(data, "show", "3", "--replay")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["entry"]["decision"]["standing"] == "approved"
    assert "comes out the same" in done.stderr


def test_a_decision_that_its_record_does_not_give_is_told(data: Path) -> None:
    change(data, """UPDATE audit SET entry = replace(entry, '"standing":"waiting"', '"standing":"approved"') WHERE number = 1""")
    done = flowdelta(data, "show", "1", "--replay")
    assert done.exit_code == 1
    assert "does not come out the same" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"), [(("show", "9"), "there is no row 9"), (("show", "2", "--replay"), "is no decision but act")]
)
def test_what_cannot_be_shown_is_said(data: Path, arguments: tuple[str, ...], said: str) -> None:
    done = flowdelta(data, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
