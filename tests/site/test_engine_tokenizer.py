"""The engine's tokenizer against the reference implementation, on the texts where such tokenizers differ."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from tests.site.conftest import EnginePage
from tests.site.engine_artifacts import PIECES, WORDS, embedding_artifact, generation_artifact, word_tokenizer
from tests.site.engine_server import EngineServer

pytestmark = pytest.mark.browser

Json = dict[str, Any]

ENCODE = """
  const { TextTokenizer } = await import('/engine/tokenizer.js');
  const tokenizer = await TextTokenizer.open(args.tokenizer, args.config, args.vocabulary);
  return args.texts.map((text) => tokenizer.encode(text));
"""
TEXTS: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("test_engine_tokenizer_texts.json").read_text()
)


def mixed_texts(count: int) -> list[str]:
    """Texts of letters, marks, signs and ideographs in any order."""
    chance = random.Random(26)
    letters = ["Σ", "ς", "the", "ing ", " ", "é", "É", "e\u0301", "Ж", "ß", "İ"]
    parts = [*letters, "漢", "\U00020000", "한", "🙂", "\u200d", "\u0007", "."]
    return ["".join(chance.choices(parts, k=chance.randrange(2, 20))) for _ in range(count)]


def reference_ids(tokenizer: Json, texts: list[str]) -> list[list[int]]:
    reference = Tokenizer.from_str(json.dumps(tokenizer))
    reference.no_truncation()
    reference.no_padding()
    return [encoding.ids for encoding in reference.encode_batch(texts)]


@pytest.mark.parametrize("texts", [*TEXTS.values(), mixed_texts(60)], ids=[*TEXTS, "mixed"])
def test_a_real_tokenizer_gives_the_ids_of_the_reference(
    engine_page: EnginePage, minilm_checkpoint: Path, texts: list[str]
) -> None:
    names = ("tokenizer.json", "tokenizer_config.json")
    tokenizer, config = (json.loads((minilm_checkpoint / name).read_text()) for name in names)
    found = engine_page.run(ENCODE, tokenizer=tokenizer, config=config, vocabulary=30522, texts=texts)
    for text, ids, expected in zip(texts, found, reference_ids(tokenizer, texts), strict=True):
        assert ids == expected, ascii(text)


@pytest.mark.parametrize(
    "normalizer",
    [
        {"type": "Lowercase"},
        {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
        {"type": "Sequence", "normalizers": [{"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}]},
        {"type": "NFC"},
        word_tokenizer()["normalizer"] | {"handle_chinese_chars": False, "lowercase": False},
    ],
    ids=["lowercase", "sequence", "nested", "no lowercase", "bert without both"],
)
def test_every_kind_of_normalizer_agrees_on_sigma_and_ideographs(
    engine_page: EnginePage, normalizer: Json
) -> None:
    tokenizer = word_tokenizer() | {"normalizer": normalizer}
    vocab = tokenizer["model"]["vocab"]
    for piece in ("λς", "λσ", "ΛΣ", "𝚲𝚺", "a", "##\U00020000"):
        vocab[piece] = len(vocab)
    texts = ["ΛΣ", "𝚲𝚺", "ΛΣ far", "a\U00020000", "down"]
    found = engine_page.run(ENCODE, tokenizer=tokenizer, config={}, vocabulary=len(vocab), texts=texts)
    assert found == reference_ids(tokenizer, texts)


def test_a_text_with_an_id_past_the_vocabulary_is_refused(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = embedding_artifact()
    artifact.tokenizer["model"]["vocab"]["extra"] = len(WORDS)
    body = """
      const model = await engine.load(args.url);
      const errors = [];
      for (const text of ['far extra', 'far '.repeat(20) + 'extra']) {
        await model.embed(['wind', text]).catch((error) => errors.push([error.code, error.message]));
      }
      const after = await model.embed(['far wind']);
      return { errors, tokens: after[0].tokens };
    """
    output = engine_page.run(body, url=engine_server.add("tiny", artifact.files()))
    assert output["tokens"] == 4
    for code, message in output["errors"]:
        assert code == "TOKENIZER_INVALID"
        assert f"id {len(WORDS)}, " in message
        assert f"vocabulary is {len(WORDS)}. Export the model again" in message
    assert len(output["errors"]) == 2


def test_a_prompt_with_an_id_past_the_vocabulary_is_refused(
    engine_page: EnginePage, engine_server: EngineServer
) -> None:
    artifact = generation_artifact([2])
    artifact.tokenizer["model"]["vocab"]["d"] = len(PIECES)
    body = """
      const model = await engine.load(args.url);
      for await (const _ of model.generate('abd', { maxTokens: 1 }));
    """
    error = engine_page.fails(body, url=engine_server.add("tiny", artifact.files()))
    assert error["code"] == "TOKENIZER_INVALID"


@pytest.mark.parametrize("strange", [-1, 1.5, "5"])
def test_an_id_that_is_none_is_refused(engine_page: EnginePage, strange: object) -> None:
    tokenizer = word_tokenizer()
    tokenizer["model"]["vocab"]["far"] = strange
    error = engine_page.fails(ENCODE, tokenizer=tokenizer, config={}, vocabulary=len(WORDS), texts=["far"])
    assert error["code"] == "TOKENIZER_INVALID"


def test_an_unknown_word_without_a_token_for_it_is_refused(engine_page: EnginePage) -> None:
    tokenizer = word_tokenizer()
    tokenizer["model"]["unk_token"] = "[NONE]"
    error = engine_page.fails(
        ENCODE, tokenizer=tokenizer, config={}, vocabulary=len(WORDS), texts=["stranger"]
    )
    assert error["code"] == "TOKENIZER_INVALID"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("WordPiece", {"word_piece.js"}), ("BPE", {"bpe.js"}), ("WordLevel", {"word_piece.js"})],
)
def test_only_the_code_of_its_kind_is_fetched(engine_page: EnginePage, kind: str, code: set[str]) -> None:
    model = {"type": kind, "vocab": {"[UNK]": 0, "a": 1}, "merges": [], "unk_token": "[UNK]"}
    body = """
      const { TextTokenizer } = await import('/engine/tokenizer.js');
      const tokenizer = await TextTokenizer.open(args.tokenizer, {}, 2);
      const fetched = performance.getEntriesByType('resource').map(({ name }) => name.split('/').at(-1));
      return [tokenizer.encode('a'), fetched];
    """
    ids, fetched = engine_page.run(body, tokenizer={"model": model})
    assert ids == [1]
    assert {"bpe.js", "unigram.js", "word_piece.js", "charsmap.js"} & set(fetched) == code
