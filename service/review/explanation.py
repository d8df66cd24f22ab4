"""The command `/flowdelta explain`: why one end reaches another, or does not, once the pull request is merged.

Whoever can comment may ask, as they can read the report. So that nobody spends our processor or makes us talk, only a commit that has a
report is explained, in the same limited process, and only so often an hour; beyond that there is a reaction and no reply.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from analyzers.reports.markdown_inline import code, prose
from service.analysis.inventories import laid_out
from service.analysis.job import AnalysisError, Order, Pair, Wanted
from service.forges.port import Forge
from service.review.steps import Steps
from service.review.target import Target, compared, of_pull
from service.store import StoredCommand

USAGE = "SRC DST [PORT] [--cluster NAME]"
MOST_OF_ONE, MOST_OF_ALL = 5, 20
"""Explanations in an hour, for one account in a repository, and on one pull request."""

_LONGEST_WORD, _LONGEST_REPLY = 500, 20_000
_CLUSTER = "--cluster"
_KEPT = {"closed": "it is not open", "draft": "it is a draft", "fork": "it comes from a fork"}
_ABOUT_THE_QUESTION = frozenset({"unknown-endpoint", "invalid-port", "not-uniform", "cluster"})


class Unexplained(Exception):
    """There is no explanation; the message, in Markdown of ours, says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """Two ends (`namespace/name[Kind]`, or an address), the port if one was asked for, and the cluster if one was named."""

    pair: Pair
    cluster: str | None


def question(words: list[str]) -> Question:
    """What was typed after the command. Raises `Unexplained`."""
    said = [word.strip("`")[:_LONGEST_WORD] for word in words]
    cluster = None
    if len(said) > 2 and said[-2] == _CLUSTER:
        cluster, said = said[-1], said[:-2]
    if len(said) not in (2, 3) or not all(said):
        raise Unexplained(f"Write `/flowdelta explain {USAGE}`: each end as the report names it, or an address; a port as `8080/TCP`.")
    return Question(Pair(said[0], said[1], said[2] if len(said) == 3 else None), cluster)


def explained(stored: StoredCommand, asked: Question, steps: Steps) -> str:
    """The explanation as Markdown, of exactly the commits that the report compared. Raises `Unexplained`, and what a step may raise."""
    forge = steps.forge(stored.forge, stored.repository)
    pull = forge.pull_request(stored.repository, stored.command.number)
    if kept := steps.kept(pull):
        raise Unexplained(f"This pull request is not analysed: {_KEPT[kept]}.")
    judged = steps.store.last_judged(stored.forge, stored.repository, pull.number)
    if judged is None or judged[0] != pull.head_sha:
        # It also keeps a change whose analysis kills workers from doing so by a comment.
        raise Unexplained("The newest commit has no report yet. Ask again when it has one.")
    target, base = of_pull(pull), judged[1]
    steps.mirrors.fetch(forge.clone_url(target.repository), target.refs, forge.credential(target.repository))
    try:
        return _text(stored, asked, steps, forge, target, base)
    except AnalysisError as error:
        if error.reason not in _ABOUT_THE_QUESTION:
            raise
        raise Unexplained(f"{prose(error.message)}") from error


def _text(stored: StoredCommand, asked: Question, steps: Steps, forge: Forge, target: Target, base: str) -> str:
    settings, name = steps.settings, "explanation.md"
    with tempfile.TemporaryDirectory(dir=steps.work) as directory:
        order = Order(
            compared(target, base, forge, steps.mirrors, steps.subdir),
            (Wanted(name, "markdown", _LONGEST_REPLY),),
            directory,
            host_network=settings.host_network,
            cpu=int(settings.analysis_timeout) + 1,
            memory=settings.analysis_memory,
            cache=str(settings.cache_dir),
            pair=asked.pair,
            cluster=asked.cluster,
            inventories=laid_out(steps.store, stored.forge, stored.repository, directory),
        )
        with steps.turns:
            result = steps.analyse(order, settings.analysis_timeout)
        text = (Path(directory) / name).read_text(encoding="utf-8")
    merged = "alone, as it cannot be merged" if result.conflicts else f"merged into {code(base[:12])} of {code(target.base_label)}"
    return f"{text}\n<sub>Commit {code(target.sha[:12])} {merged}.</sub>\n"
