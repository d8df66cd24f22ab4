"""Questions on demand: two revisions or two archives, answered by a real analysis in a process of its own."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from service.settings import Settings
from tests.forges.faults import Fault
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin, shop
from tests.service.site import SHOP, Site, environment, opened
from tests.service.web_app import Web, web

DIFF, MATRIX, EXPLAIN = "/api/v1/diff", "/api/v1/matrix", "/api/v1/explain"
WEB, CART = "shop/web[Deployment]", "shop/cart[Deployment]"


@pytest.fixture
def site(github: GitHubFake, origin: Origin) -> Site:
    return opened(github, origin)


@pytest.fixture
def process(tmp_path: Path, site: Site) -> Iterator[Web]:
    more = {"UPLOAD_MAX_MB": "1", "ANALYSIS_TIMEOUT": "60"}
    with web(Settings.from_environment(environment(tmp_path / "data", site.github, site.origin, **more))) as running:
        yield running


@pytest.fixture
def client(process: Web) -> FlaskClient:
    """One that always shows a token which may do everything."""
    client = process.client
    client.environ_base["HTTP_AUTHORIZATION"] = process.bearer()["Authorization"]
    return client


def problem(answer: TestResponse) -> tuple[int, str]:
    """The status and the reason; that it is a complete problem document is checked on the way."""
    assert answer.mimetype == "application/problem+json", answer.text
    assert answer.json is not None
    assert set(answer.json) == {"type", "title", "status", "reason", "detail"}
    assert answer.json["status"] == answer.status_code
    return answer.status_code, answer.json["reason"]


def ask(client: FlaskClient, query: str = "", **body: Any) -> TestResponse:
    return client.post(DIFF + query, json={"repository": SHOP, "base": "main", "head": "refs/pull/7/head", **body})


def document(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.get_data())
    assert found["schema"] == "flowdelta.diff/1"
    return found


def ports(found: Mapping[str, Any]) -> tuple[Any, Any]:
    """What opens and closes between web and cart."""
    (change,) = [row for row in found["changes"] if row["source"] == "shop/web[Deployment]"]
    return change["opened"], change["closed"]


def test_two_revisions_are_compared(client: FlaskClient, site: Site) -> None:
    answer = ask(client)
    found = document(answer)
    assert answer.mimetype == "application/json"
    assert ports(found) == ({"TCP": [[9090, 9090]]}, {"TCP": [[7070, 7070]]})
    assert found["base"] == {"label": "main", "commit": site.pull.base_sha}
    assert found["head"] == {"label": "refs/pull/7/head", "commit": site.pull.head_sha}


def test_revisions_can_be_branches_tags_refs_and_commits(client: FlaskClient, site: Site) -> None:
    site.origin.commit("refs/tags/v1", shop(7070))
    site.origin.commit("refs/heads/release/1.0", shop(9090))
    for base in ("main", "v1", "refs/heads/main", site.pull.base_sha):
        for head in ("release/1.0", site.pull.head_sha):
            assert ports(document(ask(client, base=base, head=head)))[0] == {"TCP": [[9090, 9090]]}


def test_a_commit_is_found_through_the_forge_without_anything_fetched_before(client: FlaskClient, site: Site) -> None:
    assert ports(document(ask(client, base=site.pull.base_sha, head=site.pull.head_sha)))[1] == {"TCP": [[7070, 7070]]}


def test_a_commit_that_nobody_knows_is_not_found(client: FlaskClient) -> None:
    assert problem(ask(client, head="c" * 40)) == (404, "unknown-revision")


def test_merging_compares_what_the_merge_would_do(client: FlaskClient, site: Site) -> None:
    site.advance(shop(7070, more_yaml="kind: Namespace\napiVersion: v1\nmetadata: {name: more}\n"))
    plain, merged = ask(client), ask(client, merge=True)
    assert ports(document(plain)) == ports(document(merged))
    site.advance(shop(6060))
    assert problem(ask(client, merge=True)) == (409, "conflict")
    assert ports(document(ask(client)))[1] == {"TCP": [[6060, 6060]]}


def test_only_a_folder_can_be_compared(client: FlaskClient, site: Site) -> None:
    site.open(
        {f"a/{path}": text for path, text in shop(1).items()}, {f"a/{path}": text for path, text in shop(2).items()} | {"b.yaml": "{"}
    )
    assert not document(ask(client))["complete"]
    found = document(ask(client, path="a"))
    assert (found["complete"], ports(found)[0]) == (True, {"TCP": [[2, 2]]})
    assert problem(ask(client, path="c")) == (404, "unknown-folder")
    for escape in ("../x", "/etc", "a/../../x", ".git"):
        assert problem(ask(client, path=escape))[0] == 422


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"repository": "acme/other"}, 404, "unknown-repository"),
        ({"base": "nothing"}, 404, "unknown-ref"),
        ({"base": "--upload-pack=touch /tmp/x"}, 422, "invalid-ref"),
        ({"base": "a..b"}, 422, "invalid-ref"),
        ({"base": "refs/heads/../../x"}, 422, "invalid-ref"),
        ({"base": ""}, 422, "invalid-ref"),
        ({"base": 7}, 400, "invalid-field"),
        ({"base": None}, 400, "invalid-field"),
        ({"base": "x" * 2000}, 400, "invalid-field"),
        ({"merge": "yes"}, 400, "invalid-field"),
        ({"host_network": "both"}, 400, "invalid-field"),
        ({"bsae": "main"}, 400, "unknown-field"),
        ({"url": "https://evil.example/x.git"}, 400, "unknown-field"),
        ({"forge": "gitlab"}, 404, "unknown-repository"),
        ({"namespaces": "shop"}, 400, "invalid-field"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_a_reason(
    client: FlaskClient, body: dict[str, Any], status: int, reason: str
) -> None:
    assert problem(ask(client, **body)) == (status, reason)


@pytest.mark.parametrize(("raw", "reason"), [(b"{", "malformed-body"), (b"[]", "malformed-body"), (b"[" * 60_000, "malformed-body")])
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, raw: bytes, reason: str) -> None:
    answer = client.post(DIFF, data=raw, headers={"Content-Type": "application/json"})
    assert problem(answer) == (400, reason)


def test_the_body_has_a_type_and_a_size(client: FlaskClient) -> None:
    assert problem(client.post(DIFF, data=b"x", headers={"Content-Type": "text/plain"})) == (415, "unsupported-media-type")
    large = b'{"repository": "' + b"x" * 70_000 + b'"}'
    assert problem(client.post(DIFF, data=large, headers={"Content-Type": "application/json"})) == (413, "too-large")


@pytest.mark.parametrize(
    ("format", "mimetype"), [("json", "application/json"), ("markdown", "text/markdown"), ("csv", "text/csv"), ("text", "text/plain")]
)
def test_the_answer_comes_in_every_format(client: FlaskClient, format: str, mimetype: str) -> None:
    answer = ask(client, f"?format={format}")
    assert (answer.status_code, answer.mimetype) == (200, mimetype)
    assert "9090" in answer.text


def test_an_unknown_format_or_parameter_is_refused(client: FlaskClient) -> None:
    assert problem(ask(client, "?format=pdf")) == (400, "unknown-format")
    assert problem(ask(client, "?fromat=json")) == (400, "unknown-field")


def test_a_forge_that_fails_is_not_our_fault(client: FlaskClient, site: Site) -> None:
    site.github.inject(Fault("GET", ".*", status=500))
    assert problem(ask(client, base=site.pull.base_sha)) == (502, "forge")


def tarball(files: Mapping[str, str], compressed: bool = True) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if compressed else "w:") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return buffer.getvalue()


def upload(client: FlaskClient, query: str = "", **parts: bytes | str) -> TestResponse:
    return send(client, parts, query)


def send(client: FlaskClient, parts: Mapping[str, bytes | str], query: str = "") -> TestResponse:
    form = {name: FileStorage(io.BytesIO(part), f"{name}.bin") if isinstance(part, bytes) else part for name, part in parts.items()}
    boundary, body = encode_multipart(form)
    return client.post(DIFF + query, data=body, content_type=f"multipart/form-data; boundary={boundary}")


@pytest.mark.parametrize("pack", [tarball, zipped, lambda files: tarball(files, compressed=False)], ids=["tar.gz", "zip", "tar"])
def test_two_archives_are_compared(client: FlaskClient, pack: Any) -> None:
    found = document(upload(client, base=pack(shop(7070)), head=pack(shop(9090))))
    assert ports(found) == ({"TCP": [[9090, 9090]]}, {"TCP": [[7070, 7070]]})
    assert found["base"]["commit"] is None


def test_archives_take_the_same_options(client: FlaskClient) -> None:
    assert document(upload(client, base=zipped(shop()), head=zipped(shop()), host_network="pod"))["changes"] == []
    assert upload(client, "?format=csv", base=zipped(shop()), head=zipped(shop(1))).mimetype == "text/csv"


@pytest.mark.parametrize("path", ["../escape.yaml", "/etc/passwd.yaml", "a/../../b.yaml"])
def test_an_archive_that_reaches_out_of_itself_is_refused(client: FlaskClient, path: str) -> None:
    hostile = tarball({path: "kind: Pod"})
    assert problem(upload(client, base=zipped(shop()), head=hostile))[0] == 422


def test_a_link_out_of_an_archive_is_not_followed(client: FlaskClient) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("passwd.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    answer = upload(client, base=zipped({}), head=buffer.getvalue())
    assert "root:" not in answer.text


@pytest.mark.parametrize("hostile", [b"", b"not an archive", zipped(shop())[:-30], tarball(shop())[:-100]])
def test_what_is_no_whole_archive_is_refused(client: FlaskClient, hostile: bytes) -> None:
    assert problem(upload(client, base=zipped(shop()), head=hostile))[0] == 422


def test_a_bomb_is_refused(client: FlaskClient) -> None:
    bomb = zipped({f"{number}.yaml": "0" * 15_000_000 for number in range(10)})
    assert len(bomb) < 1_000_000
    assert problem(upload(client, base=zipped(shop()), head=bomb))[0] in (413, 422)


def test_uploads_have_a_cap_that_is_checked_before_they_are_read(client: FlaskClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert problem(client.post(DIFF, headers=headers, environ_overrides={"CONTENT_LENGTH": "1000001"})) == (413, "too-large")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"base": b"x"}, "missing-field"),
        ({"base": b"x", "head": "text instead of a file"}, "invalid-field"),
        ({"base": b"x", "head": b"x", "extra": b"x"}, "unknown-field"),
        ({"base": b"x", "head": b"x", "merge": "true"}, "unknown-field"),
        ({"base": b"x", "head": b"x", "host_network": "both"}, "invalid-field"),
    ],
)
def test_a_form_holds_two_files_and_little_else(client: FlaskClient, parts: dict[str, bytes | str], reason: str) -> None:
    assert problem(send(client, parts)) == (400, reason)
