"""Why an archive is refused. `REASONS` is the whole vocabulary."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "corrupt": "The archive is damaged or cut short.",
    "duplicate-path": "Two members claim one path, so what it holds depends on who unpacks it.",
    "encrypted": "A member is encrypted.",
    "not-an-archive": "Neither tar (plain, gzip, bzip2, xz) nor zip.",
    "too-large": "The archive, or what it holds when unpacked, exceeds a cap.",
    "too-many-members": "The archive has too many members.",
    "unsafe-path": "A member's path would leave the folder that it is unpacked into.",
    "unsupported-member": "A member is neither a file, nor a folder, nor a link, or uses a rare way of storage.",
}


class ArchiveError(Exception):
    """An archive is refused. `reason` is a key of `REASONS`; `message` names the member where one is to blame."""

    def __init__(self, reason: str, message: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"undocumented reason {reason!r}")
        super().__init__(message)
        self.reason, self.message = reason, message
