"""Classes of texts and words, and masked words: what the door gives for hand-made models, against NumPy."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from tests.sentences import SENTENCES
from tests.site.conftest import EnginePage
from tests.site.encoder_artifacts import LABELS, WORDS, reader_artifact, row_of, softmax
from tests.site.engine_server import EngineServer

pytestmark = pytest.mark.browser

READ = """
  const model = await engine.load(args.url);
  try { return await model[args.method](args.text); } finally { await model.unload(); }
"""


def classes(word: str, scores: np.ndarray | None = None) -> list[dict[str, object]]:
    found = softmax(row_of(word, len(LABELS))) if scores is None else scores
    return [{"label": LABELS[i], "score": pytest.approx(found[i])} for i in np.argsort(-found)]


def test_texts_get_every_label_the_best_first(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", reader_artifact("text-classification").files())
    words = ["thistle", "down", "far", "wind", "floats"]
    many = engine_page.run(READ, url=url, method="classify", text=[f"{word} far" for word in words])
    assert many == [classes(word) for word in words]
    assert engine_page.run(READ, url=url, method="classify", text="wind " * 30) == classes("wind")
    assert engine_page.run(READ, url=url, method="classify", text=[]) == []


@pytest.mark.parametrize("how", ["sigmoid", "none"])
def test_scores_are_what_the_model_was_made_for(
    engine_page: EnginePage, engine_server: EngineServer, how: str
) -> None:
    url = engine_server.add("tiny", reader_artifact("text-classification", score_function=how).files())
    logits = row_of("far", len(LABELS)).astype(np.float64)
    scores = 1 / (1 + np.exp(-logits)) if how == "sigmoid" else logits
    assert engine_page.run(READ, url=url, method="classify", text="far") == classes("far", scores)


def test_words_are_labelled_where_they_stand(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", reader_artifact("token-classification").files())
    text = "  Winds, far\\tTHISTLE!".replace("\\t", "\t")
    found = engine_page.run(READ, url=url, method="classifyTokens", text=text)
    assert [word["text"] for word in found] == ["Winds", ",", "far", "THISTLE", "!"]
    assert [text[word["start"] : word["end"]] for word in found] == [word["text"] for word in found]
    for word, first in zip(found, ["wind", "[UNK]", "far", "thistle", "!"], strict=True):
        assert {key: word[key] for key in ("label", "score")} == classes(first)[0]


def test_offsets_hold_for_added_tokens_accents_and_characters_that_are_dropped(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", reader_artifact("token-classification").files())
    cases = {
        "far [MASK] wind": ["far", "[MASK]", "wind"],
        "fár wi\ufeffnd": ["fár", "wi\ufeffnd"],
        "\U0001d518 far": ["\U0001d518", "far"],
        "\u200b far": ["far"],
        "": [],
        "far " * 9: ["far"] * 6,
    }
    found = engine_page.run(READ, url=url, method="classifyTokens", text=list(cases))
    for (text, words), entries in zip(cases.items(), found, strict=True):
        assert [entry["text"] for entry in entries] == words, text
        units = text.encode("utf-16-le")
        for entry in entries:
            assert units[2 * entry["start"] : 2 * entry["end"]].decode("utf-16-le") == entry["text"]


ALIGN = """
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  const { alignWords } = await import('/engine/words.js');
  const tokenizer = await TextTokenizer.open(args.tokenizer, {}, 40000);
  return args.texts.map((text) => alignWords(tokenizer, text, 512).words.map(({ start, token }) => [start, token]));
"""
ODD = (
    *(
        "e\u0301",
        "\u200b",
        "\xad",
        "漢",
        "\U00020000",
        "\U0002b820",
        "👍🏽",
        "[MASK]",
        "##ing",
        "don't",
        "x+=1;",
    ),
    *(
        "\t",
        "  ",
        "\u3000",
        "\x07",
        "\ufffd",
        "ΣΑΣ",
        "Größe",
        "ﬁ",
        "“quoted”",
        "한",
        "a" * 120,
        "€",
        "the ",
        "wind",
    ),
)


def _words(tokenizer: Tokenizer, text: str) -> list[list[int]]:
    """Where each word begins, in UTF-16 units, and its first token, as the reference has it."""
    encoding = tokenizer.encode(text)
    found: dict[object, list[int]] = {}
    for i in range(1, len(encoding.ids) - 1):
        begin = len(text[: encoding.offsets[i][0]].encode("utf-16-le")) // 2
        word = encoding.word_ids[i]
        found.setdefault(f"added {i}" if word is None else word, [begin, i])
    return list(found.values())


def test_words_begin_where_the_reference_says(engine_page: EnginePage, minilm_checkpoint: Path) -> None:
    path = minilm_checkpoint / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    chance = random.Random(7)
    texts = [*SENTENCES, *("".join(chance.choices(ODD, k=chance.randrange(1, 12))) for _ in range(200))]
    found = engine_page.run(ALIGN, tokenizer=json.loads(path.read_bytes()), texts=texts)
    for text, words in zip(texts, found, strict=True):
        assert words == _words(tokenizer, text), text


def test_masks_are_filled_one_or_many(engine_page: EnginePage, engine_server: EngineServer) -> None:
    url = engine_server.add("tiny", reader_artifact("fill-mask").files())
    scores = softmax(row_of("[MASK]", len(WORDS)))
    best = [
        {"token": WORDS[i], "id": int(i), "score": pytest.approx(scores[i])} for i in np.argsort(-scores)[:5]
    ]
    texts = ["far [MASK] wind", "[MASK] far [MASK]", "[MASK] " * 5, "[MASK]"]
    expected = [best, [best] * 2, [best] * 5, best]
    assert engine_page.run(READ, url=url, method="fillMask", text=texts) == expected
    assert engine_page.run(READ, url=url, method="fillMask", text=texts[0]) == best
    body = "const m = await engine.load(args.url); return [m.info.task, m.info.maskToken, m.info.labels]"
    assert engine_page.run(body, url=url) == ["fill-mask", "[MASK]", None]


def test_what_cannot_be_read_is_refused_with_the_reason(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    url = engine_server.add("tiny", reader_artifact("fill-mask").files())
    for text, code, words in (
        ("far wind", "BAD_ARGUMENT", "no [MASK]"),
        ("far " * 9 + "[MASK]", "INPUT_TOO_LONG", "12 tokens"),
        (["[MASK]", 3], "BAD_ARGUMENT", "a string or a list of strings"),
    ):
        error = engine_page.fails(READ, url=url, method="fillMask", text=text)
        assert error["code"] == code
        assert words in error["message"]
    assert engine_page.fails(READ, url=url, method="classify", text="far")["code"] == "BAD_ARGUMENT"
