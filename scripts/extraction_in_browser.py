"""Asks an artifact of the extraction model in headless Chromium and in onnxruntime, and compares token for token.

    python -m scripts.extraction_in_browser build/models/extract --messages 25 -o build/chromium.json

Of each language as many held-out and as many hand-written messages. Where an answer differs, the gap between the two
likeliest tokens at that place is told: a tie is no error. Answers are kept beside the output as they come: a run that
was stopped goes on where it was, as long as artifact and engine are the same.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from bench.errors import BenchError
from bench.result_file import check_target
from exporter.parity.onnx_runner import OnnxDecoder
from exporter.reduction.extraction.evaluate import scores
from exporter.reduction.extraction.examples import Example, held_out_examples, written_examples
from exporter.reduction.extraction.prompts import request
from exporter.reduction.extraction.schema import LANGUAGES
from exporter.reduction.extraction.sequences import end_of
from exporter.report import RUNTIME
from scripts.digests import digest_of, served
from scripts.play_in_browser import FLAGS, PATIENCE_MS, serving
from scripts.programs import find_chromium

_MOST_TOKENS = 200
_LOAD = """async ([folder, backend]) => {
  const { load } = await import('/engine/index.js');
  globalThis.asked = await load(`/models/${folder}/`, { backend });
}"""
_ASK = """async ([content, maxTokens]) => {
  const ids = [];
  const begin = performance.now();
  const asked = globalThis.asked.generate([{ role: 'user', content }], { maxTokens, temperature: 0 });
  for await (const { id } of asked) ids.push(id);
  return { ids, seconds: (performance.now() - begin) / 1000 };
}"""


def main(argv: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(argv)
    if options.output:
        _make_place(options.output)
    examples = _examples(options.messages)
    kept = options.output.with_suffix(".answers.jsonl") if options.output else None
    answers = all_answers(options.folder, examples, options.backend, kept)
    told = compared(options.folder, examples, [each["ids"] for each in answers])
    told["backend"] = options.backend
    told["tokens_per_second"] = sum(len(each["ids"]) for each in answers) / sum(
        each["seconds"] for each in answers
    )
    text = json.dumps(told, indent=1, ensure_ascii=False)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


def _make_place(output: Path) -> None:
    """Makes its folder, or ends: before the first answer, as all of them take their time."""
    try:
        check_target(output)
    except BenchError as error:
        raise SystemExit(str(error)) from error
    output.parent.mkdir(parents=True, exist_ok=True)


def all_answers(
    folder: Path, examples: Sequence[Example], backend: str, kept: Path | None
) -> list[Mapping[str, Any]]:
    """Ids and seconds of the answer to each example, out of the file `kept` as far as an earlier run brought them."""
    asked = {
        "manifest": hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest(),
        "backend": backend,
        "engine": _engine(backend),
        "messages": [request(each.fields, each.message) for each in examples],
    }
    answers = _kept_answers(kept, asked) if kept else []
    if len(answers) < len(examples):
        with serving(folder) as address:
            for answer in _asked(address, folder.resolve().name, backend, asked["messages"][len(answers) :]):
                answers.append(answer)
                print(f"{len(answers)} of {len(examples)} in {answer['seconds']:.1f} s", flush=True)
                if kept:
                    _keep(kept, asked, answers)
    return answers


def _engine(backend: str) -> str:
    """The digest of what answers, as `serving` sends it; where the CPU computes, onnxruntime-web is part of it."""
    files = served("/engine/", sources=True)
    if backend == "wasm":
        files |= {path.name: path for path in RUNTIME.glob("*") if path.is_file()}
    return digest_of(files)


def _kept_answers(kept: Path, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not kept.exists():
        return []
    question, *answers = map(json.loads, kept.read_text(encoding="utf-8").splitlines())
    if question != asked:
        raise SystemExit(f"{kept} has the answers of another run: move it away, or name another output.")
    return answers


def _keep(kept: Path, asked: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> None:
    making = kept.with_suffix(".making")
    rows = (json.dumps(row, ensure_ascii=False) for row in (asked, *answers))
    making.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    making.replace(kept)


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
    return [
        each
        for code in LANGUAGES
        for each in (*held_out_examples(code, count), *written_examples(code, count=count))
    ]


def _asked(address: str, name: str, backend: str, texts: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}generate.html".replace("127.0.0.1", "localhost"))
        page.evaluate(_LOAD, [name, backend])
        for text in texts:
            yield page.evaluate(_ASK, [text, _MOST_TOKENS])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the artifact")
    parser.add_argument(
        "--messages", type=int, default=25, help="of each set and language (default: %(default)s)"
    )
    parser.add_argument(
        "--backend", choices=("webgpu", "wasm"), default="webgpu", help="of the engine (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the result there as well")
    return parser


if __name__ == "__main__":
    main()
