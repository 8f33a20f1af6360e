"""Which files of the site a visit loads: the page of a task and all that it refers to."""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from exporter.errors import ArtifactError

SITE = Path(__file__).resolve().parents[2] / "site"
BUILT = "built"
BUILT_KINDS = {".css", ".js", ".mjs"}
CLASSIFY_PAGE = "classify.html"
PAGES = {
    "sentence-embedding": "search.html",
    "text-generation": "generate.html",
    "text-classification": CLASSIFY_PAGE,
    "token-classification": CLASSIFY_PAGE,
}
EXTRACT_PAGE = "extract.html"
ENGINE = "engine/index.js"

# A page asks for these when its visit is paid for: the worker, which the server makes, and word of a new version.
AFTERWARDS = {"service_worker.js", "app/update_notice.js"}

# The Generate page asks for it when an answer has marks of Markdown in it.
MARKDOWN = "app/markdown.js"

# The engine loads it for a model whose chat template is carried, and for no other.
TEMPLATE_ENGINE = "engine/vendor/jinja.mjs"

# The engine loads these for tokenizers of a kind.
TOKENIZER_CODE = {
    "BPE": ("engine/tokenizer/bpe.js",),
    "Unigram": ("engine/tokenizer/unigram.js", "engine/tokenizer/bpe.js"),
    "WordLevel": ("engine/tokenizer/word_piece.js",),
    "WordPiece": ("engine/tokenizer/word_piece.js",),
    "Precompiled": ("engine/tokenizer/charsmap.js",),
}

# The engine loads it for coded weights.
DECODER = "engine/coding/chunk.js"

# What the engine loads where a page puts an adapter on.
ADAPTER_SHELF = "engine/adapters/shelf.js"

# The engine loads these where a page puts an adapter on, asks in OpenAI's shape, constrains an answer or saves a state;
# ours do not.
ON_DEMAND = {
    ADAPTER_SHELF,
    "engine/completions/completions.js",
    "engine/generation/looking.js",
    "engine/generation/stepped_answer.js",
    "engine/state/saving.js",
}

# The engine loads what a task's calls need, and no other task's; on the CPU what generates is part of every session.
_GENERATE = "engine/generation/generate.js"
_CALLS = {
    "sentence-embedding": "engine/embed.js",
    "text-generation": _GENERATE,
    "text-classification": "engine/classify.js",
    "token-classification": "engine/classify.js",
    "fill-mask": "engine/fill_mask.js",
}


def _of_both_workers(names: Iterable[str]) -> set[str]:
    """In the built site the worker for the CPU has scripts of its own for what both load when they need it."""
    return {each for name in names for each in (name, name.replace("engine/", "engine/wasm/", 1))}


# Loaded when the worker runs, beside or behind the files of the model.
LATE = _of_both_workers(
    (
        DECODER,
        TEMPLATE_ENGINE,
        *_CALLS.values(),
        *(name for names in TOKENIZER_CODE.values() for name in names),
    )
)

# What the engine starts where it has found a GPU; else it looks whether the CPU will do, and starts another.
WORKER = "engine/worker.js"
CPU_ASSESSMENT, CPU_WORKER = "engine/wasm/assess.js", "engine/wasm/worker.js"
_LOADED_FOR = {WORKER: {WORKER}, CPU_WORKER: {CPU_WORKER, CPU_ASSESSMENT}}

# What every page fetches: words in the visitor's language, for which English stands, and its own where it names them.
TEXTS = "app/texts/en.json"
_OWN_TEXTS = re.compile(r'<html\b[^>]*\bdata-texts="([\w-]+)"')

# What a page's scripts fetch by names that they put together.
PAGE_DATA = {
    "search.html": ("passages/docs.json", "passages/facts.json"),
    EXTRACT_PAGE: ("passages/messages.json",),
    CLASSIFY_PAGE: ("passages/labels.json",),
}

_REFERENCES = {
    ".html": re.compile(r"""<(?:script|link|img)\b[^>]*?\b(?:src|href)=["']([^"'#?:]+\.\w+)["']"""),
    ".css": re.compile(r"""url\(["']?([^"')#:]+)["']?\)"""),
    ".js": re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\bURL\(\s*)["'](\.{1,2}/[^"']+)["']"""),
}
_REFERENCES[".mjs"] = _REFERENCES[".js"]

# Types are imported in comments, which load nothing.
_COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)


def served(site: Path, name: str) -> Path:
    """The file that the server sends for the path `name`: scripts and styles are those in `built`, if it is there."""
    built = site / BUILT
    return (built if built.is_dir() and PurePosixPath(name).suffix in BUILT_KINDS else site) / name


def page_for(task: str, *, extracts: bool = False) -> str | None:
    """The page that plays a model; None for a task without one."""
    return EXTRACT_PAGE if extracts else PAGES.get(task)


def visited_files(
    task: str, site: Path = SITE, *, carries_template: bool = False, extracts: bool = False
) -> list[str]:
    """Paths, relative to `site`, of what the page for a model loads; raises ArtifactError if the page is missing.

    The list of models is left out: it depends on what else is served. For a task without a page it is the engine alone.
    """
    levels = visit_levels(task, site, carries_template=carries_template, extracts=extracts)
    return sorted(name for level in levels for name in level)


def visit_levels(
    task: str,
    site: Path = SITE,
    *,
    carries_template: bool = False,
    extracts: bool = False,
    worker: str | None = WORKER,
    decodes: bool = False,
    tokenizer: Collection[str] = TOKENIZER_CODE,
) -> Sequence[Sequence[str]]:
    """The same files in the order in which a browser learns of them: the page, what it names, what that names, ...

    `worker` is the one that the engine starts: WORKER or CPU_WORKER, None before it starts one. `tokenizer` are those
    kinds of TOKENIZER_CODE that the model's has.
    """
    page = page_for(task, extracts=extracts) or ENGINE
    if not served(site, page).is_file():
        raise ArtifactError(f"the site has no {page}", site.name, "Run this from a complete checkout.")
    left_out = {*ON_DEMAND, *_CALLS.values()} - {_CALLS.get(task)}
    if worker == CPU_WORKER:
        left_out.discard(_GENERATE)
    if not carries_template:
        left_out.add(TEMPLATE_ENGINE)
    if not decodes:
        left_out.add(DECODER)
    left_out |= _code_of(TOKENIZER_CODE) - _code_of(tokenizer)
    left_out = {*_of_both_workers(left_out), *AFTERWARDS, MARKDOWN}
    left_out |= {name for other, names in _LOADED_FOR.items() if other != worker for name in names}
    named = [*PAGE_DATA.get(page, ()), *(_texts(site, page) if page != ENGINE else [])]
    return _levels(site, page, named, left_out)


def _texts(site: Path, page: str) -> Iterator[str]:
    yield TEXTS
    own = _OWN_TEXTS.search((site / page).read_text(encoding="utf-8"))
    if own is not None:
        yield f"app/texts/{own[1]}/en.json"


def _code_of(kinds: Collection[str]) -> set[str]:
    return {name for kind in kinds for name in TOKENIZER_CODE[kind]}


def added_levels(entry: str, loaded: Collection[str], site: Path = SITE) -> Sequence[Sequence[str]]:
    """What `entry` loads beside the files `loaded`, level by level."""
    return _levels(site, entry, [], loaded)


def _levels(site: Path, first: str, named: list[str], left_out: Collection[str]) -> Sequence[Sequence[str]]:
    levels = [[first]]
    while levels[-1]:
        seen = set(left_out).union(*levels)
        named += [ref for name in levels[-1] for ref in references(site, name)]
        levels.append(
            [name for name in dict.fromkeys(named) if name not in seen and served(site, name).is_file()]
        )
        named = []
    return levels[:-1]


def references(site: Path, name: str) -> Iterator[str]:
    """What the file `name` of `site` loads by its own, in its order."""
    pattern = _REFERENCES.get(PurePosixPath(name).suffix)
    if pattern is None:
        return
    root = PurePosixPath(name).parent
    for match in pattern.finditer(_COMMENT.sub("", served(site, name).read_text(encoding="utf-8"))):
        path = posixpath.normpath(root / match[1].removeprefix("/"))
        if not path.startswith("../"):
            yield path
