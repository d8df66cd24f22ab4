"""The surroundings of every git command: an environment made from scratch and settings that no repository can change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from service.checkout.credential import Credential, header

_KEPT = (
    *("TMPDIR", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
)

_FIXED = {
    "LANG": "C",
    "LC_ALL": "C",  # messages are told apart by their English text
    "HOME": os.devnull,  # an empty home that nobody can ever write to: no .gitconfig, no .netrc, no attributes
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",  # never refresh a user's index
    "GIT_NO_LAZY_FETCH": "1",  # a missing blob is reported, not fetched
    "GIT_NO_REPLACE_OBJECTS": "1",  # a revision means its own content on every machine
    "GIT_LITERAL_PATHSPECS": "1",
}

_SETTINGS = (
    "protocol.allow=never",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.helper=",
    "core.pager=cat",
    "core.warnAmbiguousRefs=true",
    "core.bigFileThreshold=16m",  # larger blobs are streamed, never held in memory to find deltas
    "core.packedGitWindowSize=16m",  # maps little at a time: the analysis runs with a limit on its address space
    "core.packedGitLimit=256m",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=no",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
    "fetch.fsck.badTimezone=warn",  # old public repositories have these three
    "fetch.fsck.zeroPaddedFilemode=warn",
    "fetch.fsck.missingSpaceBeforeDate=warn",
    "transfer.unpackLimit=1",  # always a pack: a cap on its size is a cap on what arrives
    # A redirect would carry the request, and perhaps the credential, to a host that nobody configured. Nothing is lost: a forge's API gives
    # the new path of a renamed repository. This also keeps a server of the dumb HTTP protocol from naming other hosts as alternates.
    "http.followRedirects=false",
    "merge.renameLimit=2000",  # the work of finding renames grows with the square
)


def environment(
    inherited: Mapping[str, str], protocols: Iterable[str] = (), credential: Credential | None = None, origin: str = ""
) -> dict[str, str]:
    """All variables that git sees. Of `inherited` only the path, proxies and certificate authorities are kept.

    `protocols` are the transports allowed. They stand here and not in the settings: a repository's own `protocol.ext.allow` would win over
    `protocol.allow=never`, and has no say against the variable.

    A credential travels as configuration for `origin` (`https://host`) alone, so it is in no argument list and goes to no other host.
    """
    kept = {name: inherited[name] for name in _KEPT if name in inherited}
    variables = {"PATH": inherited.get("PATH", os.defpath), **kept, **_FIXED, "GIT_ALLOW_PROTOCOL": ":".join(protocols)}
    if credential is not None:
        variables |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"http.{origin}/.extraHeader", "GIT_CONFIG_VALUE_0": header(credential)}
    return variables


def options(directory: Path, settings: Iterable[str] = ()) -> list[str]:
    """The options before git's subcommand: the fixed settings, then `settings`, which win."""
    chosen = [*_SETTINGS, f"safe.directory={directory}", *settings]
    return ["--no-pager", *(word for setting in chosen for word in ("-c", setting))]
