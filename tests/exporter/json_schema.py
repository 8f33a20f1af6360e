"""As much of JSON Schema as the report's schema uses: enough to hold a document to it."""

from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: Mapping[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
_KNOWN = {
    *("$schema", "$ref", "$defs", "title", "description", "type", "const", "enum", "minimum"),
    *("properties", "required", "additionalProperties", "items"),
}


def problems(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str = "$"
) -> Iterator[str]:
    """What of `value` is not as `schema` says; a keyword that is not known here is a problem, too."""
    yield from (f"{path}: the schema has {word}" for word in set(schema) - _KNOWN)
    if "$ref" in schema:
        yield from problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, path)
    if "const" in schema and value != schema["const"]:
        yield f"{path}: is {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: is {value!r}"
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{path}: is {value!r}, no {schema['type']}"
    elif isinstance(value, int | float) and value < schema.get("minimum", value):
        yield f"{path}: {value} is too small"
    if isinstance(value, dict):
        yield from _object(value, schema, root, path)
    for index, item in enumerate(value if isinstance(value, list) and "items" in schema else ()):
        yield from problems(item, schema["items"], root, f"{path}[{index}]")


def _object(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[str]:
    yield from (f"{path}: lacks {key}" for key in schema.get("required", ()) if key not in value)
    named, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key, item in value.items():
        if key in named:
            yield from problems(item, named[key], root, f"{path}.{key}")
        elif others is False:
            yield f"{path}: has {key}"
        elif others is not True:
            yield from problems(item, others, root, f"{path}.{key}")


def _is(value: Any, kinds: str | list[str]) -> bool:
    names = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)
