"""The calls of Gitea's REST API, `/api/v1`: paths, pages and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from service.forges.connection import Connection
from service.forges.port import Account
from service.secret import Secret

_PAGE = 50  # what a server gives at most, unless its administrator allows more
_PAGES = 2_000


class GiteaApi:
    """The API of one server. Every call raises `ForgeError`, and `ValueError` for an answer that is no JSON."""

    def __init__(self, api_url: str, token: Secret, *, timeout: float, write_interval: float) -> None:
        self._url = f"{api_url}/api/v1"
        self._session = Connection("Gitea", api_url, token, timeout=timeout, write_interval=write_interval)
        self._session.auth = _Token(token)

    @property
    def turn(self) -> AbstractContextManager[object]:
        """What is held while one thing is asked or changed."""
        return self._session.turn

    def me(self) -> Mapping[str, Any]:
        """The account of the token."""
        return self._object(self._session.get(f"{self._url}/user"))

    def get(self, repository: str, place: str = "") -> Mapping[str, Any]:
        """One object of a repository, or the repository itself."""
        return self._object(self._session.get(self._at(repository, place)))

    def pages(self, repository: str, place: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Every object of a list of a repository."""
        return self._pages(self._at(repository, place), **query)

    def teams(self, owner: str) -> Iterator[Mapping[str, Any]]:
        """Every team of an organisation."""
        return self._pages(f"{self._url}/orgs/{quote(owner, safe='')}/teams")

    def members(self, team: int) -> Iterator[Mapping[str, Any]]:
        """Every account in a team."""
        return self._pages(f"{self._url}/teams/{team}/members")

    def labels_of(self, owner: str) -> Iterator[Mapping[str, Any]]:
        """Every label of an organisation, which all of its repositories have."""
        return self._pages(f"{self._url}/orgs/{quote(owner, safe='')}/labels")

    def timeline(self, repository: str, number: int) -> Iterator[Mapping[str, Any]]:
        """What happened to a pull request, oldest first. Asked for without a page, the server gives all of it; with pages it would not
        say which is the last. It gives null for nothing, and for an event that it could not read."""
        found = self._session.get(self._at(repository, f"issues/{number}/timeline")).json()
        if not isinstance(found, list | None):
            raise TypeError("not a list")
        return (event for event in found or () if event is not None)

    def post(self, repository: str, place: str, body: Mapping[str, Any]) -> requests.Response:
        """Create something."""
        return self._session.post(self._at(repository, place), json=body)

    def patch(self, repository: str, place: str, body: Mapping[str, Any]) -> None:
        """Change something."""
        self._session.patch(self._at(repository, place), json=body)

    def delete(self, repository: str, place: str) -> None:
        """Take something away."""
        self._session.delete(self._at(repository, place))

    def _pages(self, url: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Every object of a list, page after page for as long as the answer links a next one or counts more than there were. Some lists
        have no pages: they ignore what is asked and give everything."""
        seen = 0
        for page in range(1, _PAGES + 1):
            answer = self._session.get(url, params={**query, "page": str(page), "limit": str(_PAGE)})
            found = answer.json()
            if not isinstance(found, list):
                raise TypeError("not a list")
            yield from found
            seen += len(found)
            if not found or ("next" not in answer.links and seen >= int(answer.headers.get("X-Total-Count", "0"))):
                return

    def _at(self, repository: str, place: str) -> str:
        return f"{self._url}/repos/{quote(repository)}/{place}".rstrip("/")

    @staticmethod
    def _object(answer: requests.Response) -> Mapping[str, Any]:
        found = answer.json()
        if not isinstance(found, dict):
            raise TypeError("not an object")
        return found


def account(user: Mapping[str, Any] | None) -> Account:
    """An account as Gitea tells it. Its own ones, for workflows and for deleted accounts, have ids below one: nobody is behind them."""
    if user is None:
        return Account("-1", "ghost", bot=True)
    return Account(str(int(user["id"])), str(user["login"]), bot=int(user["id"]) < 1)


class _Token(AuthBase):
    """Shows the token. As the session's own authentication it goes before whatever a .netrc holds."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"token {self._token.reveal()}"
        return request
