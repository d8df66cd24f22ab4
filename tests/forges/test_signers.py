"""Who stands in commits: every name that git, a forge or a hostile commit message can give."""

from __future__ import annotations

import pytest

from service.forges.group_names import team_of, teams_of_owner
from service.forges.port import Contributors, ForgeError
from service.forges.signers import Signer, co_authors, contributors, numbered_address

GIVEN_OUT = numbered_address("+", ["github.com", "ghes.example"])


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("", []),
        ("A change", []),
        ("A change\n\nCo-authored-by: Ann <ann@x.example>", [("Ann", "ann@x.example")]),
        ("A\r\n\r\nCO-AUTHORED-BY: Ann <ann@x.example>\r\n", [("Ann", "ann@x.example")]),
        ("A\n\n  co-authored-by : Ann <ann@x.example> \nand more text", [("Ann", "ann@x.example")]),
        ("A\nCo-authored-by: Ann <a@x.example>\nCo-authored-by: Bo <b@x.example>", [("Ann", "a@x.example"), ("Bo", "b@x.example")]),
        ("A\nCo-authored-by: Ann", [("Ann", "")]),
        ("A\nCo-authored-by:", [("", "")]),
        ("A\nCo-authored-by: Ann <ann@x.example", [("Ann", "ann@x.example")]),
        ("It says Co-authored-by: Ann <ann@x.example>", []),
        ("A\nNot-co-authored-by: Ann <ann@x.example>", []),
    ],
)
def test_co_authors_are_those_whom_a_line_of_the_message_names(message: str, named: list[tuple[str, str]]) -> None:
    assert list(co_authors(message)) == [Signer(email, name) for name, email in named]


@pytest.mark.parametrize(
    ("email", "account"),
    [
        ("504+bob@users.noreply.github.com", "504"),
        ("504+Bob[bot]@USERS.noreply.GitHub.com", "504"),
        ("504+bob@users.noreply.ghes.example", "504"),
        ("bob@users.noreply.github.com", ""),
        ("504-bob@users.noreply.github.com", ""),
        ("0504+bob@users.noreply.github.com", ""),
        ("504+bob@users.noreply.github.com.evil.example", ""),
        ("504+bob@users.noreply.githubxcom", ""),
        ("504+bob@evil@users.noreply.github.com", ""),
        ("x 504+bob@users.noreply.github.com", ""),
        ("٥٠٤+bob@users.noreply.github.com", ""),
        ("", ""),
    ],
)
def test_an_address_that_the_forge_gave_out_names_its_account(email: str, account: str) -> None:
    assert GIVEN_OUT(email) == account


def test_an_email_that_is_an_accounts_in_one_commit_is_so_in_all() -> None:
    signers = [Signer("Bob@Work.example", "Bob"), Signer("bob@work.example", "Bob", "504"), Signer("who@x.example", "Who")]
    assert contributors(signers, ["7"], GIVEN_OUT) == Contributors(frozenset({"504", "7"}), ("who@x.example",))


def test_commits_without_an_email_are_not_of_one_account() -> None:
    signers = [Signer("", "Ann", "501"), Signer("", "Bo"), Signer(" ", " ")]
    assert contributors(signers, [], GIVEN_OUT) == Contributors(frozenset({"501"}), ("Bo", "a commit without an author"))


def test_strangers_are_shown_on_one_line_each_and_not_without_end() -> None:
    signers = [Signer(f"{number:03}\n{'x' * 900}@x.example", "") for number in range(900)]
    strangers = contributors(signers, [], GIVEN_OUT).strangers
    assert len(strangers) == 50
    assert all(len(each) <= 200 and "\n" not in each for each in strangers)


@pytest.mark.parametrize(
    ("group", "team"),
    [
        ("security", ("acme", "security")),
        ("Security", ("acme", "security")),
        ("Other/Sec.1_x", ("other", "sec.1_x")),
        ("acme/a", ("acme", "a")),
    ],
)
def test_a_team_is_one_of_the_repositorys_owner_unless_it_says_whose(group: str, team: tuple[str, str]) -> None:
    assert team_of("Acme/shop", group) == team


@pytest.mark.parametrize("group", ["", ".", "..", "a/b/c", "a//b", "@acme/security", "sécurité", "a b", "a\n", "a%2fb", "a?b", "a#b"])
def test_what_is_no_name_of_a_team_is_refused(group: str) -> None:
    with pytest.raises(ForgeError) as refused:
        team_of("acme/shop", group)
    assert not refused.value.retry


def test_only_teams_of_the_repositorys_owner_can_be_asked() -> None:
    assert teams_of_owner("Acme/shop", ["security", "acme/Security", "other/security", "net"]) == ["security", "net"]
