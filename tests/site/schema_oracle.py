"""Whether a text is a document of a schema, worked out from the parsed value: the other way than the engine goes."""

import json
import re
from typing import Any

Json = Any
_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_document(text: str, schema: Json) -> bool:
    """JSON that meets the schema; Python takes NaN and Infinity for JSON, and they are not."""
    try:
        value = _DECODER.decode(text)
    except ValueError:
        return False
    return meets(value, schema, schema)


def _refuse(name: str) -> Json:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
# What JavaScript's patterns hold for white space.
_SPACES = r"[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"


def meets(value: Json, schema: Json, root: Json) -> bool:
    if isinstance(schema, bool):
        return schema
    checks = {
        "$ref": lambda name: meets(value, _found(name, root), root),
        "anyOf": lambda parts: any(meets(value, part, root) for part in parts),
        "enum": lambda values: any(_same(value, each) for each in values),
        "const": lambda only: _same(value, only),
        "type": lambda names: any(
            _is(value, name) for name in ([names] if isinstance(names, str) else names)
        ),
    }
    if not all(check(schema[key]) for key, check in checks.items() if key in schema):
        return False
    if isinstance(value, str):
        return _text_meets(value, schema)
    if isinstance(value, list):
        return _list_meets(value, schema, root)
    return not isinstance(value, dict) or _object_meets(value, schema, root)


def _found(reference: str, root: Json) -> Json:
    for part in reference.split("/")[1:]:
        root = root[part.replace("~1", "/").replace("~0", "~")]
    return root


def _same(one: Json, other: Json) -> bool:
    return json.dumps(one) == json.dumps(other)


def _is(value: Json, name: str) -> bool:
    if name in ("number", "integer"):
        allowed = int if name == "integer" else int | float
        return isinstance(value, allowed) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])


def _text_meets(value: str, schema: Json) -> bool:
    fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    pattern = re.sub(r"\$(?=\||$)", r"\\Z", schema.get("pattern", "")).replace(r"\s", _SPACES)
    return fits and re.search(pattern, value, re.ASCII) is not None


def _list_meets(value: list[Json], schema: Json, root: Json) -> bool:
    fits = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
    return fits and all(meets(item, schema.get("items", True), root) for item in value)


def _object_meets(value: dict[str, Json], schema: Json, root: Json) -> bool:
    """What is not named may only stand where the schema names nothing: the engine writes nothing else."""
    named = schema.get("properties", {})
    others = False if named else schema.get("additionalProperties", True)
    if not set(schema.get("required", [])) <= set(value):
        return False
    return all(meets(item, named.get(key, others), root) for key, item in value.items())
