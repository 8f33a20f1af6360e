"""Writes site/engine/vendor/jinja.mjs: the published template engine, mended where it differs from Python's Jinja.

    python -m scripts.vendor_jinja

Templates are written for Python, where strip takes characters and white space is Python's, and a text is as long as it
has code points.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "node_modules" / "@huggingface" / "jinja"
VENDOR = ROOT / "site" / "engine" / "vendor"

_STRIPPED = r"""
// Python's str.strip: of its white space, or of the characters in the first argument. Not in the published file.
function stripped(text, args, atStart, atEnd) {
  const given = args[0] instanceof StringValue ? new Set(args[0].value) : null;
  const goes = (c) => (given ? given.has(c) : /[\s\x1c-\x1f\x85]/.test(c) && c !== "\ufeff");
  const points = Array.from(text);
  let start = 0;
  let end = points.length;
  while (atStart && start < end && goes(points[start])) start++;
  while (atEnd && end > start && goes(points[end - 1])) end--;
  return points.slice(start, end).join("");
}
"""
_MENDS = (
    (
        "new FunctionValue(() => {\n          return new StringValue(this.value.trim());",
        "new FunctionValue((args) => {\n          return new StringValue(stripped(this.value, args, true, true));",
    ),
    (
        "new FunctionValue(() => {\n          return new StringValue(this.value.trimEnd());",
        "new FunctionValue((args) => {\n          return new StringValue(stripped(this.value, args, false, true));",
    ),
    (
        "new FunctionValue(() => {\n          return new StringValue(this.value.trimStart());",
        "new FunctionValue((args) => {\n          return new StringValue(stripped(this.value, args, true, false));",
    ),
    (
        "return new StringValue(operand.value.trim());",
        "return new StringValue(stripped(operand.value, [], true, true));",
    ),
    (
        "this.value.charAt(0).toUpperCase() + this.value.slice(1)",
        "this.value.charAt(0).toUpperCase() + this.value.slice(1).toLowerCase()",
    ),
    (
        '["length", new IntegerValue(this.value.length)],',
        '["length", new IntegerValue(Array.from(this.value).length)],',
    ),
    ("var StringValue = class", f"{_STRIPPED.strip()}\nvar StringValue = class"),
)


def mended() -> str:
    """The text of the engine as it is served. Raises ValueError where the published file has changed."""
    text = (PUBLISHED / "dist" / "index.js").read_text(encoding="utf-8")
    for before, after in _MENDS:
        if text.count(before) < 1:
            raise ValueError(f"the published template engine has no {before!r} any more: look at its changes")
        text = text.replace(before, after, 1)
    return text


if __name__ == "__main__":
    (VENDOR / "jinja.mjs").write_text(mended(), encoding="utf-8")
