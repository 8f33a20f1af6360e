"""Schemas with documents that meet them and texts that do not, as written; one place is one kind of restriction."""

from typing import Any

Json = Any


def _object(properties: Json, required: tuple[str, ...] = (), **more: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), **more}


_INT, _TEXT, _NULL, _BOOL = ({"type": name} for name in ("integer", "string", "null", "boolean"))
_LINKED = {
    "$defs": {
        "node": _object({"v": _INT, "next": {"anyOf": [{"$ref": "#/$defs/node"}, _NULL]}}, ("v", "next"))
    },
    "$ref": "#/$defs/node",
}
_TREE = _object({"k": {"type": "array", "items": {"$ref": "#"}}}, ("k",), additionalProperties=False)
_PATTERNS: list[tuple[str, list[str], list[str]]] = [
    ("^a+$", ['"a"', '"aaa"'], ['""', '"ab"', '"b"']),
    ("a", ['"a"', '"xax"'], ['""', '"xyz"']),
    ("^[a-c]{2,3}$", ['"ab"', '"cca"'], ['"a"', '"abca"', '"ad"']),
    (r"^\d{3}-\d{2}$", ['"123-45"'], ['"12-345"', '"1234-5"']),
    ("^(?:yes|no)$", ['"yes"', '"no"'], ['"maybe"', '"yesno"']),
    ("^(ab)*c?$", ['""', '"abab"', '"ababc"', '"c"'], ['"aba"', '"cc"']),
    ("^[^a]$", ['"b"', '"é"', '"\\n"', '"\\""', '"😀"'], ['"a"', '""', '"bb"']),
    ("^.$", ['"x"', '"€"', '"\\\\"'], ['"\\n"', '"xy"']),
    (r"^\w+@\w+\.de$", ['"a_1@b.de"'], ['"a@b_de"', '"@b.de"']),
    (r"^\s?x$", ['"x"', '" x"', '"\\tx"'], ['"  x"']),
    ("^x|y$", ['"xa"', '"by"', '"x"'], ['"ax"', '"yb"']),
    (r"^[\d.-]+$", ['"1.-2"'], ['"a"', '""']),
    (r"^\u00e9{2}$", ['"éé"'], ['"é"', '"ee"']),
    ("^a{0}b$", ['"b"'], ['"ab"']),
    (r"^\x41?\$$", ['"A$"', '"$"'], ['"A"']),
]

# name -> (schema, texts that are documents, texts that are not)
SCHEMAS: dict[str, tuple[Json, list[str], list[str]]] = {
    "anything": (
        {},
        ["1", '"x"', '{"a":[1,{}]}', " [ ]", "null"],
        ["", "{", "nul", "01", '{"a"}', "[1,]", "1 "],
    ),
    "true": (True, ["-0.5e+10", "[]"], [".5", "+1", "1.", "1e", "0x1"]),
    "described": ({"title": "t", "description": "d", "default": 1, "examples": []}, ["7"], ["seven"]),
    "string": (
        _TEXT,
        ['""', '"é€😀"', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\/"'],
        ['"', "''", '"\n"', '"\\x"', '"\\ud83d"', '"\\u00g0"', '"\\ude00"'],
    ),
    "short string": (
        {"type": "string", "maxLength": 2},
        ['""', '"ab"', '"éé"', '"\\n\\u0041"', '"😀\\ud83d\\ude00"'],
        ['"abc"', '"\\n\\n\\n"'],
    ),
    "long string": ({"type": "string", "minLength": 2}, ['"ab"', '"abc"'], ['"a"', '""', '"😀"']),
    "string of one length": (
        {"type": "string", "minLength": 3, "maxLength": 3},
        ['"abc"'],
        ['"ab"', '"abcd"'],
    ),
    "empty string": ({"type": "string", "maxLength": 0}, ['""'], ['"a"']),
    "integer": (_INT, ["0", "-1", "120", "-0", " 5"], ["01", "1.0", "1e3", "-", "+1", '"1"', "--1"]),
    "number": (
        {"type": "number"},
        ["0", "-1.5", "2e10", "2E-1", "0.001"],
        ["1.", ".1", "1e", "NaN", "Infinity", "1e+"],
    ),
    "boolean": (_BOOL, ["true", "false"], ["True", "tru", "1", "null"]),
    "null": (_NULL, ["null", "\n null"], ["nul", "None", "0"]),
    "two types": ({"type": ["string", "null"]}, ['"a"', "null"], ["1", "[]"]),
    "three types": (
        {"type": ["integer", "boolean", "array"], "maxItems": 0},
        ["1", "true", "[]"],
        ["[1]", "null"],
    ),
    "types with their own limits": (
        {"type": ["string", "array"], "maxLength": 1, "items": _INT},
        ['"a"', "[1,2]"],
        ['"ab"', '["a"]'],
    ),
    "enum of strings": (
        {"enum": ["red", "green", "re"]},
        ['"red"', '"re"'],
        ['"r"', '"blue"', "red", '"redd"'],
    ),
    "enum of all kinds": (
        {"enum": [1, "1", None, True, [1, 2], {"a": "b"}, 1.5]},
        ["1", '"1"', "null", "true", "[1, 2]", '{ "a" : "b" }', "1.5"],
        ["2", "[1]", '{"a":"c"}', "1.50"],
    ),
    "typed enum": ({"type": "string", "enum": ["a", 1]}, ['"a"'], ["1"]),
    "const": ({"const": 'x"y\n'}, ['"x\\"y\\n"'], ['"x"', '"x\\"y\\u000a"']),
    "const object": (
        {"const": {"a": [], "b": {}}},
        ['{"a":[],"b":{}}', '{"a": [ ], "b": { } }'],
        ['{"b":{},"a":[]}'],
    ),
    "const null": ({"const": None}, ["null"], ["0"]),
    "const of other scripts": ({"const": "漢字é"}, ['"漢字é"'], ['"漢"', '"\\u6f22字é"']),
    "anyOf": ({"anyOf": [_INT, {"type": "string", "maxLength": 1}]}, ["1", '"a"'], ['"ab"', "1.5"]),
    "anyOf that begin alike": (
        {"anyOf": [_object({"a": _INT}, ("a",)), _object({"a": _TEXT}, ("a",))]},
        ['{"a":1}', '{"a":"1"}'],
        ['{"a":null}', "{}"],
    ),
    "anyOf in anyOf": ({"anyOf": [{"anyOf": [_NULL, _BOOL]}, {"const": 3}]}, ["null", "true", "3"], ["4"]),
    "anyOf with one that cannot be": ({"anyOf": [False, _INT]}, ["1"], ["null"]),
    "array": ({"type": "array"}, ["[]", '[1,"a",[]]', "[ 1 , 2 ]"], ["[", "[,]", "[1 2]", "[1,]", "{}"]),
    "array of integers": ({"type": "array", "items": _INT}, ["[]", "[1,-2]"], ['["a"]', "[1.5]"]),
    "array of two at most": (
        {"type": "array", "items": _BOOL, "maxItems": 2},
        ["[]", "[true,false]"],
        ["[true,true,true]"],
    ),
    "array of two at least": (
        {"type": "array", "items": _NULL, "minItems": 2},
        ["[null,null]", "[null,null,null]"],
        ["[]", "[null]"],
    ),
    "array of exactly three": (
        {"type": "array", "items": {"enum": [0, 1]}, "minItems": 3, "maxItems": 3},
        ["[0,1,1]"],
        ["[0,1]", "[0,1,1,0]"],
    ),
    "array of nothing": ({"type": "array", "maxItems": 0}, ["[]", "[ ]"], ["[1]"]),
    "array whose items cannot be": ({"type": "array", "items": False}, ["[]"], ["[1]", "[null]"]),
    "array of arrays": (
        {"type": "array", "items": {"type": "array", "items": _INT, "maxItems": 1}},
        ["[[],[1]]"],
        ["[1]", "[[1,2]]"],
    ),
    "any object": ({"type": "object"}, ["{}", '{"a":1,"b":[{}]}'], ["[]", "{a:1}", '{"a":1,}']),
    "no properties": ({"type": "object", "additionalProperties": False}, ["{}", "{ }"], ['{"a":1}']),
    "dictionary": (
        {"type": "object", "additionalProperties": _INT},
        ["{}", '{"x":1,"y":2}'],
        ['{"x":"1"}', "{x:1}"],
    ),
    "dictionary of dictionaries": (
        {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": _BOOL}},
        ['{"a":{"b":true}}'],
        ['{"a":true}'],
    ),
    "one property": (
        _object({"a": _INT}, ("a",)),
        ['{"a":1}', '{ "a" : 1 }'],
        ["{}", '{"b":1}', '{"a":1,"b":2}'],
    ),
    "optional property": (_object({"a": _INT}), ["{}", '{"a":1}'], ['{"a":"x"}', '{"a":1,"a":2}']),
    "two required": (
        _object({"a": _INT, "b": _BOOL}, ("a", "b")),
        ['{"a":1,"b":true}'],
        ['{"a":1}', '{"b":true}', '{"a":1 "b":true}'],
    ),
    "first optional": (
        _object({"a": _INT, "b": _BOOL}, ("b",)),
        ['{"b":true}', '{"a":1,"b":true}'],
        ['{"a":1}', '{,"b":true}'],
    ),
    "last optional": (
        _object({"a": _INT, "b": _BOOL}, ("a",)),
        ['{"a":1}', '{"a":1,"b":true}'],
        ['{"a":1,}', '{"b":true}'],
    ),
    "middle optional": (
        _object({"a": _INT, "b": _INT, "c": _INT}, ("a", "c")),
        ['{"a":1,"c":3}', '{"a":1,"b":2,"c":3}'],
        ['{"a":1,"b":2}', '{"a":1,,"c":3}'],
    ),
    "all optional": (
        _object({"a": _INT, "b": _INT, "c": _INT}),
        ["{}", '{"b":2}', '{"a":1,"c":3}', '{"c":3}'],
        ['{"c":3,}'],
    ),
    "names that begin alike": (
        _object({"a": _INT, "ab": _INT, "abc": _INT}),
        ['{"a":1,"abc":3}', '{"ab":2}'],
        ['{"abcd":1}'],
    ),
    "names to be escaped": (
        _object({'q"\\': _INT, "é\n": _INT}, ('q"\\', "é\n")),
        ['{"q\\"\\\\":1,"é\\n":2}'],
        ['{"q":1}'],
    ),
    "property that cannot be": (_object({"a": _INT, "b": False}, ("a",)), ['{"a":1}'], ['{"a":1,"b":1}']),
    "nested": (
        _object({"o": _object({"p": _object({"q": _NULL}, ("q",))}, ("p",))}, ("o",)),
        ['{"o":{"p":{"q":null}}}'],
        ['{"o":{"p":{}}}', '{"o":{"p":{"q":null}}'],
    ),
    "objects in an array": (
        {"type": "array", "items": _object({"n": _TEXT}, ("n",)), "minItems": 1},
        ['[{"n":"x"}]', '[{"n":"x"},{"n":"y"}]'],
        ["[]", "[{}]"],
    ),
    "strict": (
        _object(
            {"name": _TEXT, "age": {"type": ["integer", "null"]}}, ("name", "age"), additionalProperties=False
        ),
        ['{"name":"x","age":null}', '{"name":"","age":3}'],
        ['{"name":"x"}', '{"name":"x","age":3,"z":1}'],
    ),
    "linked list": (
        _LINKED,
        ['{"v":1,"next":null}', '{"v":1,"next":{"v":2,"next":null}}'],
        ['{"v":1}', '{"v":1,"next":{}}'],
    ),
    "tree": (_TREE, ['{"k":[]}', '{"k":[{"k":[]},{"k":[{"k":[]}]}]}'], ['{"k":[1]}', '{"k":[{"k":[}]}']),
    "own root": (
        {"anyOf": [_INT, {"type": "array", "items": {"$ref": "#"}}]},
        ["1", "[[],[2]]"],
        ['"a"', '["a"]'],
    ),
    "reference by a place": (
        _object({"a": {"enum": [1, 2]}, "b": {"$ref": "#/properties/a"}}, ("a", "b")),
        ['{"a":1,"b":2}'],
        ['{"a":1,"b":3}'],
    ),
    "reference with escaped signs": ({"$defs": {"a/b~c": _INT}, "$ref": "#/$defs/a~1b~0c"}, ["4"], ["x"]),
    "definitions": (
        {"definitions": {"x": _BOOL}, "type": "array", "items": {"$ref": "#/definitions/x"}},
        ["[true]"],
        ["[1]"],
    ),
    "two that name each other": (
        {
            "$defs": {
                "a": {"type": "array", "items": {"$ref": "#/$defs/b"}},
                "b": {"type": "object", "additionalProperties": {"$ref": "#/$defs/a"}},
            },
            "$ref": "#/$defs/a",
        },
        ['[{"x":[]}]', "[{},{}]"],
        ["[[]]", '[{"x":{}}]'],
    ),
    **{
        f"pattern {pattern}": ({"type": "string", "pattern": pattern}, good, bad)
        for pattern, good, bad in _PATTERNS
    },
}

# schema -> what its refusal names
REFUSED: list[tuple[Json, str]] = [
    ({"type": "string", "format": "date"}, '"format"'),
    ({"type": "integer", "minimum": 1}, '"minimum"'),
    ({"type": "array", "uniqueItems": True}, '"uniqueItems"'),
    ({"type": "array", "prefixItems": []}, '"prefixItems"'),
    ({"oneOf": [_INT]}, '"oneOf"'),
    ({"allOf": [_INT]}, '"allOf"'),
    ({"not": _INT}, '"not"'),
    (_object({"deep": {"type": "array", "items": {"if": {}}}}), "#/properties/deep/items"),
    (_object({"a": _INT}, additionalProperties=True), '"additionalProperties"'),
    (_object({"a": _INT}, ("b",)), 'requires "b"'),
    ({"items": _INT}, '"items" without a "type"'),
    ({"anyOf": [_INT], "type": "integer"}, '"type" beside "anyOf"'),
    ({"const": 1, "minLength": 1}, '"minLength" beside "const"'),
    ({"type": "string", "pattern": "a", "maxLength": 3}, '"pattern" beside'),
    ({"type": "text"}, '"text"'),
    ({"type": "string", "maxLength": -1}, '"maxLength"'),
    ({"type": "string", "maxLength": 10**9}, "too large"),
    ({"$ref": "#/$defs/gone"}, "not there"),
    ({"$ref": "https://example.org/schema"}, "outside"),
    ({"type": "object", "properties": []}, '"properties"'),
    ({"enum": "a"}, "not a list"),
    ("string", "neither an object"),
    *(({"type": "string", "pattern": pattern}, part) for pattern, part in [
        ("(?=a)", '"(?=a"'), (r"\bword", r"\b"), (r"(a)\1", r"\1"), ("a**", "counted already"), ("[b-a]", "range"),
        ("(a", "does not end"), ("[a", "does not end"), ("a)", '")"'), ("^a^", '"^"'), (r"\p{L}", r"\p"), ("*a", '"*"'),
    ]),
    (False, "Nothing can meet the schema"),
    ({"$ref": "#"}, "Nothing can meet the schema"),
    ({"enum": []}, "Nothing can meet the schema"),
    ({"type": "string", "minLength": 2, "maxLength": 1}, "Nothing can meet the schema"),
    ({"type": "array", "items": False, "minItems": 1}, "Nothing can meet the schema"),
    (_object({"a": {"$ref": "#"}}, ("a",)), "Nothing can meet the schema"),
]  # fmt: skip
