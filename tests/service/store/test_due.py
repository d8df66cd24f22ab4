"""Branches that moved rest first; what is due is handed to one worker at a time, and again where that one fails."""

from __future__ import annotations

from collections.abc import Callable

from service.forges.port import BaseMoved, Command
from service.store import Move, Store
from tests.service.store.conftest import Raw
from tests.service.store.events import BOB, FORGE, RERUN, SHOP, event

MAIN = BaseMoved("refs/heads/main")


def passes(raw: Raw, table: str, seconds: int) -> None:
    """Let time pass for the rows of a table."""
    columns = {"moves": ("first", "due"), "commands": ("due", "received")}[table]
    raw(f"UPDATE {table} SET " + ", ".join(f"{column} = {column} - {seconds}" for column in columns))


def test_a_branch_rests_before_it_is_due(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", MAIN))
    assert store.due_moves() == []
    passes(raw, "moves", 31)
    assert store.due_moves() == [Move(FORGE, SHOP, MAIN.ref, "d-1")]


def test_a_newer_move_puts_the_older_off(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", MAIN))
    passes(raw, "moves", 20)
    store.accept(FORGE, event("d-2", MAIN))
    passes(raw, "moves", 20)
    assert store.due_moves() == []
    passes(raw, "moves", 11)
    assert store.due_moves() == [Move(FORGE, SHOP, MAIN.ref, "d-2")]


def test_a_branch_that_never_rests_is_due_after_ten_times_the_debounce(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-0", MAIN))
    for turn in range(1, 30):
        passes(raw, "moves", 10)
        store.accept(FORGE, event(f"d-{turn}", MAIN))
        assert store.due_moves() == []
    passes(raw, "moves", 11)
    assert store.due_moves() == [Move(FORGE, SHOP, MAIN.ref, "d-29")]


def test_a_redelivery_moves_nothing(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", MAIN))
    passes(raw, "moves", 31)
    store.accept(FORGE, event("d-1", MAIN))
    assert len(store.due_moves()) == 1


def test_what_is_due_is_handed_to_one_worker(store: Store, raw: Raw, open_store: Callable[[], Store]) -> None:
    store.accept(FORGE, event("d-1", MAIN, RERUN))
    passes(raw, "moves", 31)
    other = open_store()
    assert (len(store.due_moves()), len(store.undone_commands())) == (1, 1)
    assert (other.due_moves(), other.undone_commands()) == ([], [])


def test_what_a_worker_does_not_settle_is_handed_out_again(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", MAIN, RERUN))
    passes(raw, "moves", 31)
    moves, commands = store.due_moves(), store.undone_commands()
    passes(raw, "moves", 61)
    passes(raw, "commands", 61)
    assert (store.due_moves(), store.undone_commands()) == (moves, commands)


def test_what_is_settled_is_not_handed_out_again(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", MAIN, RERUN))
    passes(raw, "moves", 31)
    store.moved(*store.due_moves())
    (stored,) = store.undone_commands()
    store.command_done(stored.id, "seen")
    assert raw("SELECT outcome FROM commands") == [("seen",)]
    assert raw("SELECT * FROM moves") == []
    passes(raw, "commands", 61)
    assert store.undone_commands() == []


def test_a_move_that_comes_while_one_is_worked_on_is_not_lost(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", MAIN))
    passes(raw, "moves", 1_000)
    (move,) = store.due_moves()
    store.accept(FORGE, event("d-2", MAIN))
    store.moved(move)
    assert store.due_moves() == []
    passes(raw, "moves", 31)
    assert store.due_moves() == [Move(FORGE, SHOP, MAIN.ref, "d-2")]


def test_branches_of_other_repositories_and_forges_are_apart(store: Store, raw: Raw) -> None:
    store.accept(FORGE, event("d-1", MAIN, BaseMoved("refs/heads/release")))
    store.accept("work", event("d-1", MAIN))
    passes(raw, "moves", 31)
    moves = store.due_moves()
    assert {(move.forge, move.ref) for move in moves} == {(FORGE, MAIN.ref), (FORGE, "refs/heads/release"), ("work", MAIN.ref)}
    store.moved(Move(FORGE, SHOP, MAIN.ref, "d-1"))
    assert len(raw("SELECT * FROM moves")) == 2


def test_commands_come_in_the_order_that_they_were_given(store: Store) -> None:
    given = [Command(7, f"c-{number}", BOB, f"/flowdelta {number}") for number in range(20)]
    for number, command in enumerate(given):
        store.accept(FORGE, event(f"d-{number}", command))
    found = store.undone_commands()
    assert [stored.command for stored in found] == given
    assert {(stored.forge, stored.repository) for stored in found} == {(FORGE, SHOP)}
