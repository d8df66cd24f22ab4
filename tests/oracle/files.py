"""Documents as files: spread over folders, as YAML or JSON, one to a file, many to a file, or wrapped in lists."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import yaml

from tests.oracle.reading import Document

FOLDERS = ("", "app/", "app/base/", "policies of the team/", "z/")
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")
NOT_STRINGS = {"on", "off", "yes", "no", "y", "n", "true", "false", "null"}


class _Dumper(yaml.CSafeDumper):
    """Writes what is not plainly a word in quotes, so that no reader can take it for anything but a string."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    plain = PLAIN.fullmatch(text) and text.lower() not in NOT_STRINGS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _string)


def write(rng: Random, documents: list[Document]) -> dict[str, bytes]:
    """Paths and contents that hold exactly the documents."""
    documents = rng.sample(documents, len(documents))
    files: dict[str, bytes] = {}
    while documents:
        size = rng.choice((1, 2, 3, 8))
        part, documents = documents[:size], documents[size:]
        name = f"{rng.choice(FOLDERS)}{rng.choice('abcdefgh')}{len(files)}"
        if rng.random() < 0.2:
            files[f"{name}.json"] = json.dumps(_wrapped(rng, part) if len(part) > 1 else part[0]).encode()
        else:
            files[f"{name}.{rng.choice(('yaml', 'yml'))}"] = _yaml(rng, part)
    return files


def shown(files: dict[str, bytes]) -> str:
    """The files as a person reads them."""
    return "\n".join(f"----- {path}\n{content.decode()}" for path, content in sorted(files.items()))


def _yaml(rng: Random, documents: list[Document]) -> bytes:
    if rng.random() < 0.2:
        documents = [_wrapped(rng, documents)]
    flow = rng.choice((False, False, None))
    texts = [yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, width=1000) for document in documents]
    text = "---\n".join(texts)
    text = rng.choice(("", "", "---\n", "# a comment\n---\n", "---\n---\n")) + text + rng.choice(("", "", "---\n", "---\n# end\n", "...\n"))
    if rng.random() < 0.1:
        text = text.replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if rng.random() < 0.1 else b"") + text.encode()


def _wrapped(rng: Random, documents: list[Document]) -> Document:
    """A list of the documents; one that is named after its kind may leave out what its items are."""
    kinds = {(document["apiVersion"], document["kind"]) for document in documents}
    if len(kinds) == 1 and rng.random() < 0.7:
        ((api, kind),) = kinds
        items = [{key: value for key, value in d.items() if key not in {"apiVersion", "kind"} or rng.random() < 0.2} for d in documents]
        return {"apiVersion": api, "kind": f"{kind}List", "items": items}
    return {"apiVersion": "v1", "kind": "List", "items": documents}
