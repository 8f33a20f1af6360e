"""How often a first visit waits for an answer, and how much it asks for: told from what the site's files name.

The order is that of the pages and the engine; tests/whole/test_download_size.py holds it against a slow line.
"""

from collections import deque
from collections.abc import Collection, Sequence
from pathlib import Path

from exporter.report.networks import CONNECTIONS
from exporter.report.site_files import CPU_ASSESSMENT, CPU_WORKER, LATE, PAGE_DATA, TEXTS, WORKER, references

# The script that settles language and theme holds up what stands behind it in the page.
_SETTLING = 1
# The words, the list of models, the model's manifest: each is asked for when the one before has come.
FACTS = 3
# "Load model" asks whether the manifest is still the same, then for the worker.
_CLICK = 1
# Plan and tokenizer, then the code for this tokenizer, then the weights. On the CPU all files at once, then the
# runtime's first module, which names the other.
_MODEL = 3
# Without WebGPU the page asks what the runtime is, and so does "Load model".
_DESCRIPTION = 1

Levels = Sequence[Sequence[str]]


def page_rounds(levels: Levels, site: Path) -> int:
    """Round trips until the page of `levels` tells what its model costs."""
    page = levels[0][0]
    return _walk(page, _scripts(levels), site)[0] + _SETTLING + FACTS


def load_rounds(levels: Levels, site: Path, worker: str = WORKER) -> int:
    """Round trips from "Load model" until the last weights begin to come."""
    return _CLICK + _walk(worker, _scripts(levels), site)[0] + _MODEL


def cpu_rounds(levels: Levels, levels_of_page: Levels, site: Path) -> int:
    """Round trips of a first visit without WebGPU: the page has to look whether the CPU will do."""
    looks = _walk(CPU_ASSESSMENT, _scripts(levels) - _scripts(levels_of_page), site)[0] + _DESCRIPTION
    return page_rounds(levels_of_page, site) + looks + _DESCRIPTION + load_rounds(levels, site, CPU_WORKER)


def asked_again(levels: Levels, levels_of_page: Levels, site: Path) -> int:
    """Of how many files the worker asks whether they are still what the page has of them."""
    return len(_walk(WORKER, _scripts(levels), site)[1] & _scripts(levels_of_page))


def cpu_asked_again(levels: Levels, levels_of_page: Levels, site: Path) -> int:
    """The same of the worker on the CPU."""
    scripts = _scripts(levels)
    of_page = _scripts(levels_of_page) | _walk(CPU_ASSESSMENT, scripts, site)[1]
    return len(_walk(CPU_WORKER, scripts, site)[1] & of_page)


def _scripts(levels: Levels) -> set[str]:
    late = {*LATE, TEXTS, *(name for names in PAGE_DATA.values() for name in names)}
    return {name for level in levels for name in level} - late


def _walk(first: str, among: Collection[str], site: Path) -> tuple[int, set[str]]:
    """Round trips for `first` and what it leads to, CONNECTIONS at a time, each once it is named; and all of it."""
    waiting, seen, rounds = deque([first]), {first}, 0
    while waiting:
        rounds += 1
        come = [waiting.popleft() for _ in range(min(CONNECTIONS, len(waiting)))]
        named = (reference for name in come for reference in references(site, name) if reference in among)
        new = [name for name in dict.fromkeys(named) if name not in seen]
        waiting.extend(new)
        seen.update(new)
    return rounds, seen
