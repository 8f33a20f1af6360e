"""Every state of every page, each reached in any language. What is typed has no Latin words where a page repeats it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.site.pages.conftest import CLASSIFIER, EMBEDDER, EXTRACTOR, TAGGER, WRITER, size_report
from tests.site.pages.test_bench import RESULT, open_file
from tests.site.pages.test_sizes import WHOLE

if TYPE_CHECKING:
    from playwright.sync_api import Page

KEPT = {"url": "models/minilm/", "title": "MiniLM", "usedAt": 0, "bytes": 22_700_000, "keptBytes": 22_700_000}
REFUSED = {"ok": False, "code": "NOT_ENOUGH_MEMORY", "reason": "Too big.", "needed": 9e9, "available": 2e9}
FOUND = '{"person": "Ann", "date": "Mars", "place": null}'
TOLD = (
    "# Так\n\n- так **ні**\n\n| так | ні |\n|--|--|\n| довгі слова | так чи ні |\n\n```\n1 2\n```\n\n"
    "[сторінка](https://e.example)"
)


def look(page: "Page") -> None:
    expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(page.locator("main p").first).to_be_visible()


def load(page: "Page") -> None:
    page.locator("button.load").click()
    expect(page.locator(".loaded, .problem, progress").first).to_be_visible()


def load_whole(page: "Page") -> None:
    page.locator("button.load").click()
    expect(page.locator(".loaded")).to_be_visible()


def pause(page: "Page") -> None:
    load(page)
    page.locator("progress[value] ~ .row button").first.click()
    expect(page.locator("progress ~ .note").nth(1)).not_to_be_empty()


def search(page: "Page") -> None:
    page.locator("input[value=facts]").check()
    load(page)
    page.locator("#query").fill("bees")
    expect(page.locator("#results li")).to_have_count(10)


def show_own_text(page: "Page") -> None:
    page.locator("input[value=own]").check()
    page.locator("#own-text").fill("1.\n\n2.")


def generate(page: "Page") -> None:
    load(page)
    page.locator("#options summary").click()
    page.locator("#max-tokens").fill("20")
    page.locator("#prompt").fill("?")
    page.locator("#go").click()
    expect(page.locator("#copy")).to_be_visible()


def chat(page: "Page") -> None:
    load_whole(page)
    page.locator("#prompt").fill("Чому будяк такий колючий?")
    page.locator("#go").click()
    expect(page.locator("#said > li")).to_have_count(2)
    expect(page.locator("#go")).to_be_visible()


def change(page: "Page") -> None:
    page.locator(".message.user .actions button").last.click()
    expect(page.locator(".message.user textarea")).to_be_visible()


def classify(page: "Page") -> None:
    load(page)
    page.locator("#text").fill("Ann charged the payment twice")
    expect(page.locator("#ranked li, mark").first).to_be_visible()
    page.locator("#labels summary").first.click()
    for _ in range(2):
        page.locator("#set-name").fill("ŇÁŽĚŤ ÓŠŤŘŮŇ ŠĎČ " * 3)
        page.locator("#set-name").press("Enter")
        expect(page.locator("#labels-note")).not_to_be_empty()
    expect(page.locator("#labels-note button")).to_be_visible()


def classify_words(page: "Page") -> None:
    load(page)
    page.locator("#text").fill("Ann charged the payment twice")
    expect(page.locator("#marked mark")).to_be_visible()


def read_lines(page: "Page", lines: str) -> None:
    page.locator("#several").check()
    page.locator("#lines").fill(lines)
    page.locator("#go").click()


def classify_many(page: "Page") -> None:
    read_lines(page, "The courier\nqq\n" + "payment" * 40)
    expect(page.locator("#rows tr")).to_have_count(3)
    page.locator("#sorted thead button").first.click()


def stop_many(page: "Page") -> None:
    read_lines(page, "parcel\n" * 400)
    page.locator("#reading progress ~ .row button").click()
    expect(page.locator("#reading progress")).to_have_count(0)
    expect(page.locator("#reading button")).to_be_visible()


def choose_table(page: "Page") -> None:
    page.locator("#several").check()
    file = {"name": "models/a.csv", "mimeType": "text/csv", "buffer": b"1,2\n3,4"}
    page.locator("#lines-file").set_input_files([file])  # type: ignore[list-item]
    expect(page.locator("#column")).to_be_visible()
    page.locator("#labels-file").set_input_files([file])  # type: ignore[list-item]
    expect(page.locator(".problem")).to_be_visible()


def extract(page: "Page") -> None:
    page.locator("#message").fill("Ann comes on Friday, and Ann is late")
    page.locator("#go").click()
    expect(page.locator("#copy:visible, #stop:visible")).to_have_count(1)
    expect(page.locator("#marked mark")).not_to_have_count(0)


def ask_to_delete(page: "Page") -> None:
    page.locator("#kept-models > .row button").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def open_result(page: "Page") -> None:
    engines = [{"name": "thistledown", "ok": True, "version": "", "loadMs": 2800, "peakBytes": 250e6}]
    checks = [{"peer": "onnxruntime-web", "what": "", "value": 4, "limit": 4, "agrees": False}]
    open_file(page, {**RESULT, "engines": engines, "checks": checks})
    expect(page.locator("#result")).to_be_visible()


def open_parts(page: "Page") -> None:
    look(page)
    for summary in page.locator(".parts summary").all():
        summary.click()


def show_whole_report(page: "Page") -> None:
    page.route("**/report.json", lambda route: route.fulfill(json=size_report() | WHOLE), times=1)
    page.reload()
    expect(page.locator("#roles tbody tr")).to_have_count(3)


def damage_report(page: "Page") -> None:
    page.route("**/report.json", lambda route: route.fulfill(json=size_report(first_visit=1)), times=1)
    page.reload()
    expect(page.locator("#trouble .notice")).to_be_visible()


@dataclass(frozen=True)
class Visit:
    """A page with these models, before a stand-in for the engine that does `engine`.

    `states` are what the visitor does, one after another, each from where the one before has led.
    """

    path: str
    models: list[dict[str, Any]] | None
    states: dict[str, Callable[["Page"], None]]
    engine: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return next(iter(self.states))


ALL_KINDS = [EMBEDDER, WRITER, EXTRACTOR]
VISITS = (
    Visit("index.html", ALL_KINDS, {"landing": look}),
    Visit("index.html", [EMBEDDER], {"landing, refused": look}, {"inspection": REFUSED}),
    Visit("index.html", [], {"landing, empty": look}),
    Visit("index.html", None, {"landing, down": look}),
    Visit(
        "search.html",
        [EMBEDDER],
        {"search, before loading": look, "search, own text": show_own_text, "search, results": search},
        {"inspection": {"cachedBytes": 1e6}, "vendor": "swiftshader"},
    ),
    Visit(
        "search.html",
        [EMBEDDER],
        {"search, paused": pause},
        {"slow": 400, "kept": [KEPT]},
    ),
    Visit("search.html", [EMBEDDER], {"search, loading": load}, {"slow": 60_000}),
    Visit("search.html", [EMBEDDER], {"search, failed": load}, {"loadErrors": ["FILE_TRUNCATED"]}),
    Visit("generate.html", [EMBEDDER], {"generate, no model": look}),
    Visit(
        "generate.html",
        [WRITER, EXTRACTOR],
        {"generate, answered": generate},
        {"chat": True, "answer": TOLD},
    ),
    Visit("generate.html", [EXTRACTOR], {"generate, by fields": look}, {"chat": True}),
    Visit("chat.html", [EMBEDDER], {"chat, no model": look}),
    Visit(
        "chat.html",
        [WRITER],
        {"chat, answered": chat, "chat, changing": change},
        {"chat": True, "answer": TOLD},
    ),
    Visit("classify.html", [WRITER], {"classify, no model": look}),
    Visit(
        "classify.html",
        [EMBEDDER],
        {
            "classify, before loading": look,
            "classify, one text": classify,
            "classify, many texts": classify_many,
            "classify, a file": choose_table,
        },
        {"kinship": 0},
    ),
    Visit("classify.html", [EMBEDDER], {"classify, stopped": stop_many}, {"slow": 400}),
    Visit("classify.html", [CLASSIFIER], {"classify, by a model": classify_many}),
    Visit("classify.html", [TAGGER], {"classify, words": classify_words}, {"labels": {"Ann": "B-PER"}}),
    Visit("extract.html", [WRITER], {"extract, no model": look}),
    Visit(
        "extract.html",
        [EXTRACTOR],
        {"extract, before loading": look, "extract, found": extract},
        {"answer": FOUND},
    ),
    Visit(
        "extract.html",
        [EXTRACTOR],
        {"extract, writing": extract},
        {"answer": f"{FOUND} " + "x " * 900, "slow": 30},
    ),
    Visit("extract.html", [EXTRACTOR], {"extract, unfinished": extract}, {"answer": FOUND[:-1]}),
    Visit(
        "storage.html",
        [],
        {"storage": look, "storage, asking": ask_to_delete},
        {"kept": [KEPT, {**KEPT, "title": "—", "keptBytes": 1e6}]},
    ),
    Visit("storage.html", [], {"storage, empty": look}),
    Visit("about.html", [EMBEDDER, EXTRACTOR], {"about": look}),
    Visit(
        "sizes.html",
        [EMBEDDER],
        {
            "sizes": open_parts,
            "sizes, a whole report": show_whole_report,
            "sizes, a damaged report": damage_report,
        },
    ),
    Visit("bench/index.html", [EMBEDDER], {"bench": look, "bench, result": open_result}),
    Visit("bench/index.html", [EMBEDDER], {"bench, refused": look}, {"inspection": REFUSED}),
)
