"""Who stands in the commits of a pull request: accounts as far as the forge knows them, and emails that anyone can write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from service.forges.connection import cut
from service.forges.port import Contributors

_CO_AUTHOR = re.compile(r"^[ \t]*co-authored-by[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_LONGEST = 200
# One stranger is as good as a thousand; a hostile commit message could name as many.
_STRANGERS = 50


@dataclass(frozen=True, slots=True)
class Signer:
    """The author, committer or co-author of a commit. `account` is the id of the account that the forge takes them for, or empty."""

    email: str
    name: str
    account: str = ""

    @property
    def shown(self) -> str:
        """What people know them by, on one line."""
        return cut(self.email.strip() or self.name.strip() or "a commit without an author", _LONGEST)


def co_authors(message: str) -> Iterator[Signer]:
    """Everyone whom a commit message names as a co-author, wherever in it: a trailer that is not at the end was meant as one too."""
    for line in _CO_AUTHOR.finditer(message):
        name, _, rest = line[1].partition("<")
        yield Signer(rest.partition(">")[0].strip(), name.strip())


def contributors(signers: Iterable[Signer], others: Iterable[str], given_out: Callable[[str], str]) -> Contributors:
    """Everyone as an account or, at most fifty, as a stranger. An email that is an account's in one commit is so in all of them;
    `given_out` reads the id from an address that the forge itself gives to an account, and `others` are ids known in another way."""
    everyone = list(signers)
    known = {signer.email.lower(): signer.account for signer in everyone if signer.account and signer.email}
    accounts, strangers = set(others), set()
    for signer in everyone:
        account = signer.account or known.get(signer.email.lower(), "") or given_out(signer.email)
        if account:
            accounts.add(account)
        else:
            strangers.add(signer.shown)
    return Contributors(frozenset(accounts), tuple(sorted(strangers)[:_STRANGERS]))


def numbered_address(separator: str, hosts: Iterable[str]) -> Callable[[str], str]:
    """Reads the account's id from addresses like `123+name@users.noreply.host`, where the separator is a plus; empty for any other."""
    ends = "|".join(re.escape(host) for host in hosts)
    address = re.compile(rf"([1-9][0-9]{{0,18}}){re.escape(separator)}[^@\s]+@users\.noreply\.(?:{ends})", re.IGNORECASE)

    def account(email: str) -> str:
        match = address.fullmatch(email.strip())
        return match[1] if match else ""

    return account
