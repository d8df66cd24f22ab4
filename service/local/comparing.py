"""`flowdelta diff --repo`: a comparison of two commits, which is answered from what is kept where it was made before."""

from __future__ import annotations

from pathlib import Path

from service.analysis.errors import AnalysisError
from service.checkout import CheckoutError
from service.exits import BadInput, Exit
from service.kept_entries import keeping
from service.local.answers import Answer, Answers
from service.local.options import Shared
from service.local.output import remark, write
from service.local.revisions import revisions


def diff_revisions(repo: Path, base: str, head: str, subdir: str, merged: bool, shared: Shared, exit_code: bool) -> Exit:
    """Run `flowdelta diff --repo`."""
    try:
        with revisions(repo, base, head, subdir, merged) as sides, keeping(shared.cache_folder) as entries:
            answers = Answers.to(entries, sides, shared)
            answer = answers.recall() if answers is not None else None
            if answer is not None:
                return _repeat(answer, shared, exit_code)
            from service.local.analysing import diff  # imported here: it takes as long as all of the above

            return diff(sides, shared, exit_code, entries, answers)
    except (CheckoutError, AnalysisError) as error:
        from analyzers.reports.escape import printable  # it brings all reports along

        raise BadInput(printable(str(error))) from error


def _repeat(answer: Answer, shared: Shared, exit_code: bool) -> Exit:
    """Say again what was said before; it was complete."""
    write((answer.text,), shared.output)
    if shared.remarks:
        remark(answer.remarks)
    return Exit.DIFFERENCES if exit_code and answer.differs else Exit.DONE
