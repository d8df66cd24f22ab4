"""What is kept of a running object. Nothing else of it is stored or analysed: a snapshot may hold secrets wherever people put them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from analyzers.model.manifest import YamlList, YamlMap, YamlValue
from analyzers.model.relevance import relevant

_ANNOTATIONS: Final = ("kubernetes.io/ingress.class", "ingressclass.kubernetes.io/is-default-class")
_OWNER: Final = ("apiVersion", "kind", "name", "controller")
_GATEWAYS: Final = "gateway.networking.k8s.io/"
_FINISHED: Final = ("Succeeded", "Failed")


def has_ended(item: Mapping[str, Any]) -> bool:
    """Whether an object is a pod that runs no more."""
    status = item.get("status")
    return item.get("kind") == "Pod" and isinstance(status, dict) and status.get("phase") in _FINISHED


def reduced(item: YamlMap, *, by_name: bool) -> YamlMap:
    """The fields of an object that the analysis reads; its name alone where it is only named."""
    metadata = item["metadata"]
    assert isinstance(metadata, YamlMap)
    kept = {} if by_name else relevant(item)
    said = {name: metadata[name] for name in ("name", "namespace") if isinstance(metadata.get(name), str)}
    view: dict[str, Any] = {name: item[name] for name in ("apiVersion", "kind")}
    view |= {"metadata": {**said, **_metadata(kept.get("metadata", {}))}}
    routes = str(item["apiVersion"]).startswith(_GATEWAYS)
    view |= {name: _without_filters(value) if routes else value for name, value in kept.items() if name != "metadata"}
    return as_map(view)


def as_map(value: Mapping[str, Any]) -> YamlMap:
    """A JSON object as the mapping of a manifest whose lines nobody knows. Raises RecursionError."""
    made = YamlMap(0)
    for key, inner in value.items():
        made[key] = _as_yaml(inner)
        made.lines[key] = 0
    return made


def _metadata(kept: Mapping[str, Any]) -> dict[str, Any]:
    view = {name: value for name, value in kept.items() if name == "labels"}
    if isinstance(annotations := kept.get("annotations"), dict):
        view["annotations"] = {name: annotations[name] for name in _ANNOTATIONS if name in annotations}
    if isinstance(owners := kept.get("ownerReferences"), list):
        named = [each for each in owners if isinstance(each, dict)]
        view["ownerReferences"] = [{name: each[name] for name in _OWNER if name in each} for each in named]
    return view


def _without_filters(value: Any) -> Any:
    """Filters of routes set headers, which may be credentials; that they mirror traffic is all that matters of them."""
    if isinstance(value, dict):
        return {key: _mirrors(inner) if key == "filters" else _without_filters(inner) for key, inner in value.items()}
    return [_without_filters(each) for each in value] if isinstance(value, list) else value


def _mirrors(filters: Any) -> Any:
    listed = filters if isinstance(filters, list) else []
    return [{"requestMirror": each["requestMirror"]} for each in listed if isinstance(each, dict) and each.get("requestMirror")]


def _as_yaml(value: Any) -> YamlValue:
    if isinstance(value, YamlMap | YamlList):
        return value
    if isinstance(value, dict):
        return as_map(value)
    if isinstance(value, list):
        made = YamlList(0)
        made.extend(map(_as_yaml, value))
        made.lines = [0] * len(value)
        return made
    plain: YamlValue = value
    return plain
