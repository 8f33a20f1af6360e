"""Renders a chat template in a process of its own: the template is a program from outside.

`render` starts this same file as that program, which gets a bounded time, memory and output and knows nothing of
the exporter. The environment is the one of transformers.utils.chat_template_utils, so that templates mean the same.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

SECONDS = 60
MEMORY_BYTES = 1 << 30
LONGEST_PROMPT = 1 << 20

Conversation = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Rendered:
    """Prompts of the conversations, None where the template refused one; what the template's text refers to.

    `doubt` names what no finite number of conversations proves, "" if there is nothing; `unplayable` what the
    browser's template engine does not know.
    """

    prompts: tuple[str | None, ...]
    literals: tuple[str, ...]
    names: frozenset[str]
    doubt: str
    unplayable: str


class TemplateProblem(Exception):
    """The template is no template, or took more than it is given."""


def render(template: str, variables: Mapping[str, str], conversations: Sequence[Conversation]) -> Rendered:
    """Prompts that end where the answer begins. Raises TemplateProblem."""
    request = {"template": template, "variables": dict(variables), "conversations": list(conversations)}
    command = [sys.executable, "-I", str(Path(__file__).resolve())]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TemplateProblem(f"takes longer than {SECONDS} s") from None
    if done.returncode != 0:
        raise TemplateProblem("ran out of memory or ended its process")
    answer = json.loads(done.stdout)
    if "problem" in answer:
        raise TemplateProblem(str(answer["problem"]))
    return Rendered(
        tuple(answer["prompts"]),
        tuple(answer["literals"]),
        frozenset(answer["names"]),
        answer["doubt"],
        answer["unplayable"],
    )


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has none; time and output stay bounded
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _environment() -> Any:
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _generation_tag()]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _raise
    return environment


def _generation_tag() -> Any:
    """{% generation %} marks what the model wrote; the prompt is the same without the mark."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012  # as jinja2 declares it

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    return Generation


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _raise(message: object) -> NoReturn:
    from jinja2.exceptions import TemplateError

    raise TemplateError(str(message))


def _prompt(template: Any, variables: Mapping[str, str], conversation: Conversation) -> str | None:
    """None if the template raises."""
    context = {"messages": conversation, "tools": None, "documents": None, "add_generation_prompt": True}
    try:
        return "".join(_bounded(template.generate({**variables, **context})))
    except (MemoryError, _TooLongError):
        raise
    except Exception:  # whatever a program from outside raises means the same: it refuses the conversation
        return None


class _TooLongError(Exception):
    pass


def _bounded(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST_PROMPT:
            raise _TooLongError
        yield piece


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    from jinja2 import nodes
    from jinja2.exceptions import TemplateError

    try:
        environment = _environment()
        tree = environment.parse(request["template"])
        template = environment.from_string(request["template"])
    except (TemplateError, RecursionError, SyntaxError, ValueError) as error:
        return {"problem": f"is no template: {error}"}
    constants = [node.value for node in tree.find_all(nodes.Const)]
    texts = [*(node.data for node in tree.find_all(nodes.TemplateData)), *constants]
    names = {node.name for node in tree.find_all((nodes.Name, nodes.Filter))}
    try:
        prompts = [_prompt(template, request["variables"], each) for each in request["conversations"]]
    except _TooLongError:
        return {"problem": f"writes more than {LONGEST_PROMPT} characters"}
    return {
        "prompts": prompts,
        "literals": sorted({text for text in texts if isinstance(text, str)}),
        "names": sorted(names),
        "doubt": _doubt(tree),
        "unplayable": _unplayable(tree),
    }


# What probes exercise: filters and methods that act alike on every text, and numbers that conversations pass.
_PROVABLE_FILTERS = (
    *("trim", "length", "tojson", "safe", "string", "upper", "lower", "title", "capitalize"),
    *("list", "first", "last", "default", "d"),
)
_PROVABLE_METHODS = (
    *("strip", "lstrip", "rstrip", "startswith", "endswith", "split", "upper", "lower", "title"),
    *("capitalize", "replace"),
)
_LARGEST_PROVABLE = 2
# What the browser's engine (site/engine/vendor) knows.
_PLAYED_FILTERS = (
    *_PROVABLE_FILTERS,
    *(
        "join",
        "int",
        "float",
        "abs",
        "bool",
        "items",
        "sort",
        "unique",
        "reverse",
        "selectattr",
        "rejectattr",
    ),
    *("map", "indent", "replace", "dictsort"),
)
_PLAYED_METHODS = (*_PROVABLE_METHODS, "items", "keys", "values", "get", "pop", "append")


def _doubt(tree: Any) -> str:
    from jinja2 import nodes

    indents = {
        id(one)
        for used in tree.find_all(nodes.Filter)
        if used.name == "tojson"
        for one in used.find_all(nodes.Const)
    }
    for node in tree.find_all(nodes.Const):
        if id(node) in indents:
            continue
        if isinstance(node.value, float) or (type(node.value) is int and abs(node.value) > _LARGEST_PROVABLE):
            return f"depends on the number {node.value!r:.20}"
    computed = (nodes.Mul, nodes.Pow, nodes.Div, nodes.FloorDiv)
    if next(tree.find_all(computed), None) is not None:
        return "computes numbers"
    for compared in tree.find_all((nodes.Compare, nodes.Getitem)):
        made = [node for node in compared.find_all((nodes.Add, nodes.Concat)) if not _counts(node)]
        if made:
            return "compares with a text that it puts together"
    return _unknown(tree, _PROVABLE_FILTERS, _PROVABLE_METHODS)


def _counts(node: Any) -> bool:
    """Whether a sum is that of a position in a loop and one number, which conversations of 13 messages try."""
    from jinja2 import nodes

    if not isinstance(node, nodes.Add):
        return False
    sides = [type(getattr(side, "value", None)) is int for side in (node.left, node.right)]
    return sides.count(True) == 1 and not any(isinstance(side, nodes.Add) for side in (node.left, node.right))


def _unplayable(tree: Any) -> str:
    from jinja2 import nodes

    statement = next(
        tree.find_all((nodes.With, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)), None
    )
    return (
        f"uses {type(statement).__name__.lower()}"
        if statement
        else _unknown(tree, _PLAYED_FILTERS, _PLAYED_METHODS)
    )


def _unknown(tree: Any, filters: Sequence[str], methods: Sequence[str]) -> str:
    """The first filter, or method of a value, that is not among these."""
    from jinja2 import nodes

    used = [node.name for node in tree.find_all(nodes.Filter) if node.name not in filters]
    called = [call.node for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Getattr)]
    used += [f".{member.attr}()" for member in called if member.attr not in methods]
    return f"uses {used[0]}" if used else ""


def main() -> None:
    _limit_memory()
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
