"""A git repository from two folders, published the way a forge does: the head of the pull request is a ref of the base repository."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_IDENTITY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "Flowdelta demo"), ("EMAIL", "demo@flowdelta.invalid"))
}


def publish(sample: Path, target: Path, number: int) -> str:
    """Make the bare repository `target` with `sample/base` as branch main and `sample/head` as pull request `number`; its head commit."""
    from git import Repo

    with tempfile.TemporaryDirectory() as folder:
        work = Repo.init(folder, initial_branch="main")
        work.git.update_environment(**_IDENTITY, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
        _commit(work.git, sample / "base", Path(folder), "What main has")
        _commit(work.git, sample / "head", Path(folder), "What the pull request proposes")
        head = str(work.git.rev_parse("HEAD"))
        target.parent.mkdir(parents=True, exist_ok=True)
        work.git.clone("--quiet", "--bare", folder, str(target))
        bare = Repo(target)
        bare.git.update_ref(f"refs/pull/{number}/head", head)
        bare.git.update_ref("refs/heads/main", f"{head}~1")
        bare.close()
        work.close()
    return head


def _commit(git: object, content: Path, folder: Path, message: str) -> None:
    from git import Git

    assert isinstance(git, Git)
    for path in folder.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(content, folder, dirs_exist_ok=True)
    git.add("--all")
    git.commit("--quiet", "--allow-empty", "--no-gpg-sign", "--message", message)
