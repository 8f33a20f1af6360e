"""Asks an artifact of the extraction model in headless Chromium and in onnxruntime, and compares token for token.

    python -m scripts.extraction_in_browser build/models/extract --messages 25 -o build/chromium.json

Of each language as many held-out and as many hand-written messages. Where an answer differs, the gap between the two
likeliest tokens at that place is told: a tie is no error.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from exporter.parity.onnx_runner import OnnxDecoder
from exporter.reduction.extraction.evaluate import scores
from exporter.reduction.extraction.examples import Example, held_out_examples, written_examples
from exporter.reduction.extraction.prompts import request
from exporter.reduction.extraction.schema import LANGUAGES
from exporter.reduction.extraction.sequences import end_of
from scripts.play_in_browser import FLAGS, PATIENCE_MS, serving
from scripts.programs import find_chromium

_MOST_TOKENS = 200
_ASK = """async ([folder, texts, maxTokens]) => {
  const { load } = await import('/engine/index.js');
  const model = await load(`/models/${folder}/`, { backend: 'webgpu' });
  const answers = [];
  const begin = performance.now();
  for (const content of texts) {
    const ids = [];
    const asked = model.generate([{ role: 'user', content }], { maxTokens, temperature: 0 });
    for await (const { id } of asked) ids.push(id);
    answers.push(ids);
  }
  const seconds = (performance.now() - begin) / 1000;
  await model.unload();
  return { answers, seconds };
}"""


def main(argv: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(argv)
    examples = _examples(options.messages)
    with serving(options.folder) as address:
        found = _asked(address, options.folder.resolve().name, examples)
    told = compared(options.folder, examples, found["answers"])
    told["tokens_per_second"] = sum(map(len, found["answers"])) / found["seconds"]
    text = json.dumps(told, indent=1, ensure_ascii=False)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


def compared(folder: Path, examples: Sequence[Example], answers: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Scores of both, and every answer that is not the same."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    decoder, end = OnnxDecoder(folder), end_of(tokenizer)
    prompts = [tokenizer.encode(each.prompt).ids for each in examples]
    python = [_until(decoder.generate(prompt, _MOST_TOKENS), end) for prompt in prompts]
    differences = [
        _difference(decoder, prompt, ours, list(theirs))
        for prompt, ours, theirs in zip(prompts, python, answers, strict=True)
        if ours != list(theirs)
    ]
    both = {
        name: scores(examples, [tokenizer.decode(list(ids)) for ids in found]).to_json()
        for name, found in (("python", python), ("chromium", answers))
    }
    return {**both, "same": len(examples) - len(differences), "differences": differences}


def _difference(
    decoder: OnnxDecoder, prompt: Sequence[int], ours: Sequence[int], theirs: Sequence[int]
) -> dict[str, Any]:
    """Where two answers part, and by how much the likeliest token was likelier than the second (in logits)."""
    at = next(
        (i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
    )
    first, second = sorted(decoder.logits([*prompt, *ours[:at]])[-1], reverse=True)[:2]
    return {"at": at, "gap": float(first - second)}


def _until(ids: Sequence[int], end: int) -> list[int]:
    return list(ids[: ids.index(end)]) if end in ids else list(ids)


def _examples(count: int) -> list[Example]:
    sets = [(held_out_examples(code, count), written_examples(code)) for code in LANGUAGES]
    # Those by hand are in order of their kinds: every so many of them.
    return [
        each for held, written in sets for each in (*held, *written[:: max(1, len(written) // count)][:count])
    ]


def _asked(address: str, name: str, examples: Sequence[Example]) -> Any:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}generate.html".replace("127.0.0.1", "localhost"))
        texts = [request(each.fields, each.message) for each in examples]
        return page.evaluate(_ASK, [name, texts, _MOST_TOKENS])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the artifact")
    parser.add_argument(
        "--messages", type=int, default=25, help="of each set and language (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the result there as well")
    return parser


if __name__ == "__main__":
    main()
