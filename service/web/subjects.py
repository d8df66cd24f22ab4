"""From the body of a question to what is analysed. Archives are saved at once; revisions are fetched later, by whoever works on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from werkzeug.datastructures import FileStorage

from service.analysis.job import Archive, ArchiveComparison, ArchiveSide, GitComparison, GitRevision, GitSide, Merging, Pair, Subject
from service.web import models
from service.web.revisions import Place, Revisions

Fetching = Callable[[], Subject]
"""What is analysed, once it is there. Raises what git and the forge raise."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Finds out what a question is about."""

    revisions: Revisions

    def of(self, body: BaseModel, directory: Path) -> Fetching:
        """What a body asks about; its files go into `directory`. Raises `Problem` for a repository that is not served."""
        match body:
            case models.DiffRevisions():
                return self._compared(body, self.revisions.place(body.forge, body.repository))
            case models.MatrixRevision() | models.ExplainRevision():
                return self._single(body, self.revisions.place(body.forge, body.repository))
            case models.DiffArchives():
                both = ArchiveComparison(_saved(body.base, "base", directory), _saved(body.head, "head", directory))
                return lambda: both
            case models.MatrixArchive() | models.ExplainArchive():
                one = Archive(_saved(body.archive, "archive", directory))
                return lambda: one
        raise TypeError(f"{type(body).__name__} is no question")

    def between(self, place: Place, base: GitSide, head: GitSide, merging: Merging) -> GitComparison:
        """Two sides of a repository whose commits are in its mirror."""
        mirrors = self.revisions.mirrors
        return GitComparison(base, head, str(mirrors.root), place.url, mirrors.allow_file, merging, place.source_url)

    def _compared(self, body: models.DiffRevisions, place: Place) -> Fetching:
        def fetch() -> Subject:
            base, head = (GitSide(name, self.revisions.commit(place, name), body.path) for name in (body.base, body.head))
            return self.between(place, base, head, Merging.REQUIRED if body.merge else Merging.NO)

        return fetch

    def _single(self, body: models.MatrixRevision | models.ExplainRevision, place: Place) -> Fetching:
        def fetch() -> Subject:
            side = GitSide(body.revision, self.revisions.commit(place, body.revision), body.path)
            mirrors = self.revisions.mirrors
            return GitRevision(side, str(mirrors.root), place.url, mirrors.allow_file, place.source_url)

        return fetch


def served(body: BaseModel, subjects: Subjects) -> tuple[str, str] | None:
    """The forge and the repository that a body asks about; None where it brings its own files."""
    if not isinstance(body, models.Where):
        return None
    place = subjects.revisions.place(body.forge, body.repository)
    return place.known.settings.name, place.repository


def pair(body: BaseModel) -> Pair | None:
    """The ends that a body asks about, if it does."""
    return Pair(body.source, body.destination, body.port) if isinstance(body, models.Ends) else None


def _saved(upload: FileStorage, name: str, directory: Path) -> ArchiveSide:
    path = directory / f"{name}.archive"
    upload.save(path)
    return ArchiveSide(name, str(path))
