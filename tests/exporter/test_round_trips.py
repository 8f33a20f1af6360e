"""Round trips of a first visit, told from what the files of a site name."""

from pathlib import Path

from exporter.report.networks import NETWORKS, Trip, seconds
from exporter.report.round_trips import FACTS, asked_again, load_rounds, page_rounds
from exporter.report.site_files import WORKER


def _site(root: Path, files: dict[str, str]) -> list[list[str]]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return [[next(iter(files))], list(files)[1:]]


def _page(*scripts: str) -> str:
    return "".join(f'<script type="module" src="{name}"></script>' for name in scripts)


def test_each_level_of_imports_waits_for_the_one_before(tmp_path: Path) -> None:
    flat = _site(
        tmp_path / "flat", {"p.html": _page("a.js", "b.js", "c.js"), "a.js": "", "b.js": "", "c.js": ""}
    )
    chain = {"p.html": _page("a.js"), "a.js": "import './b.js'", "b.js": "import './c.js'", "c.js": ""}
    deep = _site(tmp_path / "deep", chain)
    assert page_rounds(deep, tmp_path / "deep") - page_rounds(flat, tmp_path / "flat") == 2


def test_more_files_than_connections_wait_for_each_other(tmp_path: Path) -> None:
    names = [f"s{index}.js" for index in range(13)]
    levels = _site(tmp_path, {"p.html": _page(*names), **dict.fromkeys(names, "")})
    # The page, six, six and one, the script that settles language and theme, and what the page then asks for.
    assert page_rounds(levels, tmp_path) == 1 + 3 + 1 + FACTS


def test_a_worker_asks_again_for_what_the_page_has(tmp_path: Path) -> None:
    files = {
        "p.html": _page("a.js"),
        "a.js": f"import './shared.js'; new Worker(new URL('./{WORKER}'))",
        "shared.js": "",
        WORKER: "import '../shared.js'; import './own.js'",
        "engine/own.js": "",
    }
    levels = _site(tmp_path, files)
    of_page = [["p.html"], ["a.js", "shared.js"]]
    assert asked_again(levels, of_page, tmp_path) == 1
    # Worse by a round where one of the worker's files names another.
    before = load_rounds(levels, tmp_path)
    (tmp_path / "engine/own.js").write_text("import './late.js'", encoding="utf-8")
    (tmp_path / "engine/late.js").write_text("", encoding="utf-8")
    assert load_rounds([*levels, ["engine/late.js"]], tmp_path) == before + 1


def test_heads_take_time_though_they_are_not_counted_as_bytes() -> None:
    slow = NETWORKS[0]
    assert seconds(Trip(50_000, 2, 100), slow) > seconds(Trip(50_000, 2), slow) + 1
