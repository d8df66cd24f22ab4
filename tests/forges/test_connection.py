"""What GitLab's and Gitea's adapters share: one connection to one host, and the wiring by settings."""

from __future__ import annotations

import pytest

from service.forges import connect
from service.forges.connection import Connection
from service.forges.git_names import branch_ref
from service.forges.gitea import Gitea
from service.forges.gitea_events import GiteaReceiver
from service.forges.gitlab import GitLab
from service.forges.gitlab_events import GitLabReceiver
from service.forges.port import ForgeError, State
from service.secret import Secret
from service.settings import Settings
from tests.forges.contract import NUMBER, check
from tests.forges.gitea_fake import GiteaFake
from tests.forges.gitea_stage import PATH, TOKEN


def test_two_writes_keep_their_distance_and_readings_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("service.forges.connection.time.sleep", waited.append)
    with GiteaFake(TOKEN, PATH) as fake:
        forge = Gitea(fake.url, "https://gitea.example", Secret(TOKEN), context="flowdelta", timeout=5, write_interval=60)
        for _ in range(2):
            forge.put_check(PATH, check(State.PENDING))
            with pytest.raises(ForgeError):
                forge.pull_request(PATH, NUMBER)
        assert waited[0] == 0
        assert 30 < waited[1] <= 60
        assert len(waited) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://127.0.0.1:1/",
        "https://gitlab.example.evil.example/",
        "http://gitlab.example/",
        "file:///etc/passwd",
    ],
)
def test_no_request_leaves_for_another_host(url: str) -> None:
    connection = Connection("GitLab", "https://gitlab.example", Secret("token"), timeout=1, write_interval=0)
    connection.mount("file://", connection.get_adapter("https://"))
    with connection, pytest.raises(ForgeError, match="another host"):
        connection.get(url)


def test_a_forge_that_is_gone_may_be_asked_again() -> None:
    with GiteaFake(TOKEN, PATH) as fake:
        url = fake.url
    with Connection("Gitea", url, Secret("token"), timeout=1, write_interval=0) as connection:
        with pytest.raises(ForgeError, match="could not be reached") as gone:
            connection.get(f"{url}/api/v1/user")
        assert gone.value.retry


def test_every_kind_of_forge_is_connected_as_the_settings_say() -> None:
    environ = {"FLOWDELTA_FORGES": "gitlab, tea=gitea, jo=forgejo", "FLOWDELTA_TEA_API_URL": "https://gitea.example/git/"}
    for name in ("GITLAB", "TEA", "JO"):
        environ |= {f"FLOWDELTA_{name}_{part}": f"{part.lower()}-{name}" for part in ("TOKEN", "WEBHOOK_SECRET")}
        environ[f"FLOWDELTA_{name}_REPOSITORIES"] = "acme/shop"
    found = connect(Settings.from_environment(environ))
    kinds = {name: (type(each.forge), type(each.receiver)) for name, each in found.items()}
    assert kinds == {"gitlab": (GitLab, GitLabReceiver), "tea": (Gitea, GiteaReceiver), "jo": (Gitea, GiteaReceiver)}
    places = [each.forge.clone_url("acme/shop") for each in found.values()]
    assert places == [f"https://{place}/acme/shop.git" for place in ("gitlab.com", "gitea.example/git", "codeberg.org")]


@pytest.mark.parametrize("name", ["main", "release/1.0", "a-b_c", "ü", "a@b", "dependabot/npm_and_yarn/x-1.2"])
def test_usual_branches_are_taken(name: str) -> None:
    assert branch_ref(name) == f"refs/heads/{name}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "/a",
        "a/",
        ".a",
        "a/.b",
        "a/./b",
        "../a",
        "a..b",
        "a//b",
        "a b",
        "a\nb",
        "a~1",
        "a^",
        "a:b",
        "a*",
        "a[b",
        "a\\b",
        "x@{1}",
        "a.lock",
        "a.",
        None,
        7,
    ],
)
def test_names_that_git_would_not_take_are_refused(name: object) -> None:
    with pytest.raises(ForgeError) as refused:
        branch_ref(name)
    assert not refused.value.retry
