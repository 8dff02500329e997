"""Reads the YAML that people write and checks it, with errors they can act on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from structnets.foreign.documents import parse_yaml, read_text
from structnets.foreign.shown import shortened, shown

_SHOWN = 20  # faults of one document
_M = TypeVar("_M", bound=BaseModel)


class Strict(BaseModel):
    """Frozen model that refuses unknown keys, and numbers that are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def checked(model: type[_M], content: Any, name: str) -> _M:
    """Validate `content` against `model`.

    Parameters
    ----------
    model : type of pydantic.BaseModel
        What the content must look like.
    content : object
        Parsed YAML or JSON.
    name : str
        What the error calls it, usually a file name.

    Returns
    -------
    model
        The validated instance.

    Raises
    ------
    ValueError
        Naming every offending key, its value and, for an unknown key, the allowed ones.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ValueError(_readable(error, model, name)) from None


def load_yaml(path: Path) -> Any:
    """Parse a YAML file; a damaged one is named in the error."""
    return parse_yaml(read_text(path), path)


def _readable(error: ValidationError, model: type[BaseModel], name: str) -> str:
    lines = [f"{name} is not valid:"]
    faults = error.errors()
    for item in faults[:_SHOWN]:
        place = shortened(".".join(str(part) for part in item["loc"])) or "(top)"
        if item["type"] == "extra_forbidden":
            allowed = ", ".join(_siblings(model, item["loc"][:-1])) or "none"
            message = f"unknown key; allowed here: {allowed}"
        else:
            message = f"{item['msg'].removeprefix('Value error, ')} (given: {shown(item['input'])})"
        lines.append(f"  {place}: {message}")
    if len(faults) > _SHOWN:
        lines.append(f"  and {len(faults) - _SHOWN} more")
    return "\n".join(lines)


def _siblings(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """List the keys allowed in the part of `model` that `path` leads to."""
    schema: dict[str, Any] = model.model_json_schema()
    definitions = schema.get("$defs", {})
    node = schema
    for part in path:
        node = _follow(node, definitions, part)
    return list(_dereferenced(node, definitions).get("properties", {}))


def _follow(node: dict[str, Any], definitions: dict[str, Any], part: int | str) -> dict[str, Any]:
    """Step into one key, list item or alternative of a union."""
    for option in node.get("anyOf", []):
        if option.get("$ref", "").endswith(f"/{part}"):
            return option
    node = _dereferenced(node, definitions)
    if isinstance(part, int):
        return node.get("items", {})
    mapping = node.get("discriminator", {}).get("mapping", {})
    if part in mapping:
        return _dereferenced({"$ref": mapping[part]}, definitions)
    return node.get("properties", {}).get(part) or node.get("additionalProperties") or {}


def _dereferenced(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("anyOf", []):
        if "$ref" in option or "items" in option:
            node = option
            break
    return definitions[node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node
