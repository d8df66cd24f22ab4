"""The resources of GitHub's REST API as the stand-in gives them: every field that GitHub's description requires, most of them empty."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

Resource = dict[str, Any]
WHEN = "2024-05-01T12:00:00Z"

_USER_LINKS = (
    *("avatar", "events", "followers", "following", "gists", "html"),
    *("organizations", "received_events", "repos", "starred", "subscriptions"),
)
_REPOSITORY_LINKS = (
    *("archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents", "contributors"),
    *("deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks", "html", "issue_comment"),
    *("issue_events", "issues", "keys", "labels", "languages", "merges", "milestones", "notifications", "pulls", "releases", "ssh"),
    *("stargazers", "statuses", "subscribers", "subscription", "svn", "tags", "teams", "trees", "clone", "git"),
)
_REPOSITORY_COUNTS = (
    *("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers", "watchers_count"),
    *("network_count", "subscribers_count"),
)
_REPOSITORY_FLAGS = (
    *("fork", "private", "archived", "disabled", "has_downloads", "has_issues", "has_projects", "has_wiki", "has_pages", "has_discussions"),
)
_PULL_LINKS = ("comments", "commits", "diff", "html", "issue", "patch", "review_comment", "review_comments", "statuses")
_PULL_COUNTS = ("additions", "changed_files", "comments", "commits", "deletions", "review_comments")
_PULL_NULLS = ("assignee", "auto_merge", "body", "closed_at", "merge_commit_sha", "merged_at", "merged_by", "milestone", "mergeable")


def user(api: str, login: str, number: int) -> Resource:
    """A simple user."""
    url = f"{api}/users/{login}"
    links = {f"{name}_url": f"{url}/{name}" for name in _USER_LINKS}
    known = {
        "login": login,
        "id": number,
        "node_id": f"U_{number}",
        "gravatar_id": "",
        "type": _kind(login),
        "site_admin": False,
        "url": url,
    }
    return {**links, **known}


def _kind(login: str) -> str:
    return "Bot" if login.endswith("[bot]") else "User"


def authenticated_user(api: str, login: str, number: int) -> Resource:
    """The user that a token belongs to, with what is public about them."""
    names = ("bio", "blog", "company", "email", "location", "name")
    counts = {"followers": 0, "following": 0, "public_gists": 0, "public_repos": 0}
    times = {"created_at": WHEN, "updated_at": WHEN}
    public = {"hireable": None, "user_view_type": "public", **counts, **times, **{name: None for name in names if name != "blog"}}
    return {**user(api, login, number), "blog": "", **public}


def repository(api: str, full_name: str, number: int, default_branch: str) -> Resource:
    """A full repository."""
    owner, _, name = full_name.partition("/")
    url = f"{api}/repos/{full_name}"
    return {
        **{f"{link}_url": f"{url}/{link}" for link in _REPOSITORY_LINKS},
        **dict.fromkeys(_REPOSITORY_COUNTS, 0),
        **dict.fromkeys(_REPOSITORY_FLAGS, False),
        **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
        **dict.fromkeys(("created_at", "updated_at", "pushed_at"), WHEN),
        "id": number,
        "node_id": f"R_{number}",
        "name": name,
        "full_name": full_name,
        "owner": user(api, owner, number + 1_000),
        "default_branch": default_branch,
        "url": url,
    }


def end(label: str, ref: str, sha: str, holder: Resource | None, author: Resource) -> Resource:
    """One end of a pull request; `holder` is null for the head of a fork that was deleted."""
    return {"label": label, "ref": ref, "sha": sha, "repo": holder, "user": author}


def pull(
    api: str, full_name: str, number: int, *, state: str, draft: bool, base: Resource, head: Resource, author: Resource | None
) -> Resource:
    """A pull request; `author` is null where an account was deleted."""
    url = f"{api}/repos/{full_name}/pulls/{number}"
    thread = f"{api}/repos/{full_name}/issues/{number}"
    links = {f"{name}_url": f"{url}/{name}" for name in _PULL_LINKS} | {"issue_url": thread, "comments_url": f"{thread}/comments"}
    names = ("comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self")
    return {
        **links,
        **dict.fromkeys(_PULL_COUNTS, 0),
        **dict.fromkeys(_PULL_NULLS),
        "_links": {name: {"href": url} for name in names},
        "id": number,
        "node_id": f"PR_{number}",
        "number": number,
        "state": state,
        "locked": False,
        "title": "A change",
        "labels": [],
        "draft": draft,
        "created_at": WHEN,
        "updated_at": WHEN,
        "author_association": "MEMBER",
        "mergeable_state": "unknown",
        "merged": False,
        "maintainer_can_modify": False,
        "user": author,
        "base": base,
        "head": head,
        "url": url,
    }


def comment(api: str, full_name: str, issue: int, number: int, author: Resource | None, body: str) -> Resource:
    """A comment on an issue or a pull request; `author` is null where an account was deleted."""
    base = f"{api}/repos/{full_name}/issues"
    return {
        "id": number,
        "node_id": f"IC_{number}",
        "url": f"{base}/comments/{number}",
        "html_url": f"{base}/{issue}#issuecomment-{number}",
        "issue_url": f"{base}/{issue}",
        "user": author,
        "body": body,
        "created_at": WHEN,
        "updated_at": WHEN,
        "author_association": "MEMBER",
    }


def status(api: str, full_name: str, sha: str, number: int, author: Resource, asked: Resource) -> Resource:
    """A commit status."""
    return {
        "id": number,
        "node_id": f"SC_{number}",
        "url": f"{api}/repos/{full_name}/statuses/{sha}",
        "avatar_url": author["avatar_url"],
        "state": asked["state"],
        "description": asked.get("description"),
        "target_url": asked.get("target_url"),
        "context": asked.get("context", "default"),
        "created_at": WHEN,
        "updated_at": WHEN,
        "creator": author,
    }


def reaction(number: int, author: Resource, content: str) -> Resource:
    """A reaction to a comment."""
    return {"id": number, "node_id": f"REA_{number}", "user": author, "content": content, "created_at": WHEN}


def ref(api: str, full_name: str, name: str, commit: str) -> Resource:
    """A git reference; `name` without `refs/`."""
    url = f"{api}/repos/{full_name}/git"
    known = {"type": "commit", "sha": commit, "url": f"{url}/commits/{commit}"}
    return {"ref": f"refs/{name}", "node_id": f"REF_{name}", "url": f"{url}/refs/{quote(name)}", "object": known}


def permission(account: Resource, word: str) -> Resource:
    """What a user may do in a repository: `word` is admin, write, read or none."""
    return {"permission": word, "role_name": word, "user": {**account, "role_name": word}}


def app(api: str, number: int, slug: str, owner: Resource) -> Resource:
    """A GitHub App."""
    return {
        "id": number,
        "slug": slug,
        "node_id": f"A_{number}",
        "owner": owner,
        "name": slug.title(),
        "description": None,
        "external_url": "https://flowdelta.example",
        "html_url": f"{api}/apps/{slug}",
        "created_at": WHEN,
        "updated_at": WHEN,
        "permissions": {"checks": "write", "contents": "read", "metadata": "read"},
        "events": ["pull_request", "push"],
    }


def installation(api: str, number: int, app_id: int, slug: str, account: Resource) -> Resource:
    """Where an App is installed."""
    url = f"{api}/app/installations/{number}"
    return {
        "id": number,
        "account": account,
        "app_id": app_id,
        "app_slug": slug,
        "target_id": account["id"],
        "target_type": "Organization",
        "repository_selection": "selected",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{api}/installation/repositories",
        "html_url": url,
        "permissions": {"checks": "write", "contents": "read", "metadata": "read"},
        "events": ["pull_request", "push"],
        "created_at": WHEN,
        "updated_at": WHEN,
        **dict.fromkeys(("single_file_name", "suspended_by", "suspended_at")),
    }


def check_run(api: str, full_name: str, number: int, name: str, sha: str, holder: Resource, values: Resource) -> Resource:
    """A check run; `values` is what was said of it, its output with the number of its annotations among it."""
    url = f"{api}/repos/{full_name}/check-runs/{number}"
    return {
        "id": number,
        "node_id": f"CR_{number}",
        "head_sha": sha,
        "name": name,
        "url": url,
        "html_url": url,
        "details_url": "https://flowdelta.example",
        "external_id": "",
        "status": "queued",
        "conclusion": None,
        "started_at": WHEN,
        "completed_at": None,
        "check_suite": {"id": number + 1},
        "app": holder,
        "pull_requests": [],
        **values,
        "output": {"text": None, **values["output"], "annotations_url": f"{url}/annotations"},
    }


def annotation(api: str, sent: Resource) -> Resource:
    """A remark of a check run."""
    nulls = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    return {**nulls, **sent, "blob_href": f"{api}/blob/{sent['path']}"}
