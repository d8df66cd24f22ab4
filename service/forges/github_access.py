"""As whom GitHub is asked: the user of a token, or a GitHub App with a token for each of its installations.

An App proves itself by its private key, looks up where it is installed, and gets tokens that live for an hour. Nothing here is guarded
against a second thread; `GitHub` asks one thing at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from github import Auth, Github, GithubIntegration
from github.GithubApp import GithubApp
from github.GithubException import GithubException

from service.forges.github_errors import is_missing
from service.forges.port import ForgeError
from service.secret import Secret

_API_VERSION = "2022-11-28"
# A fetch may take a while, and git shows its token more than once in it.
_GIT_MARGIN = timedelta(minutes=10)


class Access(Protocol):
    """As whom GitHub is asked. Everything but `forget` may ask GitHub, and raises what PyGithub raises."""

    def client(self, repository: str) -> Github:
        """The client that may act on a repository."""
        ...

    def author(self, repository: str) -> int:
        """The id of the account whose name stands on what is written."""
        ...

    def git_token(self, repository: str) -> Secret:
        """What git fetches with."""
        ...

    def app(self) -> int | None:
        """The id of the App, which may write check runs; None for a token, which may not."""
        ...

    def forget(self, repository: str) -> bool:
        """GitHub refused the credentials: drop what is kept. Whether there are others to be had."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """Where GitHub answers and how it is asked. Times are in seconds."""

    url: str
    timeout: float
    write_interval: float

    def options(self, auth: Auth.Auth) -> dict[str, Any]:
        """What a client of PyGithub is made with."""
        return {
            "auth": auth,
            "base_url": self.url,
            "timeout": max(1, round(self.timeout)),
            "per_page": 100,
            "user_agent": "flowdelta",
            "retry": None,  # the job retries, durably and by what GitHub says; a second loop below it would multiply the tries
            "seconds_between_requests": None,
            "seconds_between_writes": self.write_interval or None,
            "lazy": True,
            "api_version": _API_VERSION,
        }


class TokenAccess:
    """The user of a token."""

    def __init__(self, api: Api, token: Secret) -> None:
        self._token = token
        self._client = Github(**api.options(Auth.Token(token.reveal())))
        self._author: int | None = None

    def client(self, _repository: str) -> Github:
        """See `Access`."""
        return self._client

    def author(self, _repository: str) -> int:
        """See `Access`."""
        if self._author is None:
            self._author = self._client.get_user().id
        return self._author

    def git_token(self, _repository: str) -> Secret:
        """See `Access`."""
        return self._token

    def app(self) -> int | None:
        """See `Access`."""
        return None

    def forget(self, _repository: str) -> bool:
        """See `Access`: a token that is refused is refused for good."""
        return False


class InstallationAccess(TokenAccess):
    """A token that an App's installation was given, as every job of GitHub Actions is: it may write check runs, and may not ask whose it
    is. `slug` says so; that of Actions is `github-actions`."""

    def __init__(self, api: Api, token: Secret, slug: str) -> None:
        super().__init__(api, token)
        self._slug = slug
        self._app: int | None = None

    def author(self, _repository: str) -> int:
        """See `Access`: the user `<slug>[bot]`."""
        if self._author is None:
            self._author = self._client.get_user(f"{self._slug}[bot]").id
        return self._author

    def app(self) -> int | None:
        """See `Access`."""
        if self._app is None:
            self._app = self._client.get_app(self._slug).id
        return self._app


@dataclass(frozen=True, slots=True)
class _GitToken:
    value: Secret
    expires: datetime

    @property
    def fresh(self) -> bool:
        return self.expires - _GIT_MARGIN > datetime.now(UTC)


class AppAccess:
    """A GitHub App. Raises `ValueError` for a key that signs nothing."""

    def __init__(self, api: Api, app_id: str, key: Secret) -> None:
        self._api, self._auth = api, Auth.AppAuth(app_id, _pem(key))
        self._integration = GithubIntegration(**api.options(self._auth))
        self._installed: dict[str, int] = {}
        self._clients: dict[int, Github] = {}
        self._git: dict[int, _GitToken] = {}
        self._app: GithubApp | None = None
        self._author: int | None = None

    def client(self, repository: str) -> Github:
        """See `Access`. An installation that is gone may have been made anew under another id, so it is looked up once more."""
        try:
            return self._ready(repository)
        except GithubException as error:
            if error.status not in (401, 404) or not self.forget(repository):
                raise
            return self._ready(repository)

    def author(self, repository: str) -> int:
        """See `Access`: the user `<slug>[bot]`, which is not the App."""
        if self._author is None:
            self._author = self.client(repository).get_user(f"{self._itself().slug}[bot]").id
        return self._author

    def git_token(self, repository: str) -> Secret:
        """See `Access`: a token of its own, which can read files and do nothing else."""
        self.client(repository)
        installation = self._installed[repository]
        kept = self._git.get(installation)
        if kept is None or not kept.fresh:
            made = self._integration.get_access_token(installation, {"contents": "read"})
            kept = self._git[installation] = _GitToken(Secret(made.token), made.expires_at)
        return kept.value

    def app(self) -> int | None:
        """See `Access`."""
        return self._itself().id

    def forget(self, repository: str) -> bool:
        """See `Access`."""
        installation = self._installed.pop(repository, None)
        if installation is None:
            return False
        self._clients.pop(installation, None)
        self._git.pop(installation, None)
        return True

    def _ready(self, repository: str) -> Github:
        installation = self._installation(repository)
        if installation not in self._clients:
            auth = self._auth.get_installation_auth(installation)
            self._clients[installation] = Github(**self._api.options(auth))
        client = self._clients[installation]
        assert isinstance(client.requester.auth, Auth.AppInstallationAuth)
        _ = client.requester.auth.token  # asks for a new one where the old one is about to end
        return client

    def _installation(self, repository: str) -> int:
        if repository not in self._installed:
            owner, _, name = repository.partition("/")
            try:
                self._installed[repository] = self._integration.get_repo_installation(owner, name).id
            except GithubException as error:
                if is_missing(error):
                    raise ForgeError(f"the GitHub App is not installed on {repository}", retry=False) from None
                raise
        return self._installed[repository]

    def _itself(self) -> GithubApp:
        if self._app is None:
            self._app = self._integration.get_app()
        return self._app


def _pem(key: Secret) -> str:
    """The key, whose lines some keep in one. What does not sign is refused here, where a person is looking."""
    import jwt

    pem = key.reveal().replace("\\n", "\n")
    try:
        jwt.encode({}, pem, "RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        raise ValueError("it is not the private key of a GitHub App: RSA, in PEM, without a passphrase") from None
    return pem
