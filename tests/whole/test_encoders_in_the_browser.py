"""Tiny encoders of every task in headless Chromium, from text to answer, against transformers and its tokenizers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Encoding, Tokenizer

from exporter.parity.torch_reference import Floats, TorchReader
from tests.parity_notes import note
from tests.sentences import SENTENCES
from tests.tiny_encoders import ENCODERS
from tests.webapp.served import running
from webapp import Settings

pytestmark = pytest.mark.browser

Play = Callable[..., Any]
Readers = dict[str, tuple[Path, Path]]
LIMIT = 1e-3
CONTEXT = 96
READ = "return model[args.method](args.texts);"
TEXTS = SENTENCES[:-4:4] + SENTENCES[-4:]
MASKED = ("The [MASK] is here.", "[MASK] and [MASK]", "so [MASK] " * 9, "It was [MASK]!")


@pytest.fixture(scope="module")
def readers(tiny_encoder: Callable[[str], Path], artifact: Callable[..., Path]) -> Readers:
    """A tiny encoder for each task that reads texts, each with its artifact in f32, by name."""
    names = ("distilbert-classes", "bert-words", "bert-masked")
    return {name: (tiny_encoder(name), artifact(tiny_encoder(name), quantize="f32")) for name in names}


@pytest.fixture(scope="module")
def address(readers: Readers) -> Iterator[str]:
    """The server of these alone."""
    with running(Settings(folders=tuple(folder for _, folder in readers.values()))) as client:
        yield str(client.base_url.copy_with(host="localhost"))


def _encodings(source: Path, texts: tuple[str, ...]) -> list[Encoding]:
    """As transformers reads them: cut at the end, special tokens kept."""
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(CONTEXT)
    return [tokenizer.encode(text) for text in texts]


def _units(text: str) -> int:
    """What JavaScript calls the length."""
    return len(text.encode("utf-16-le")) // 2


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


def _labels(source: Path) -> list[str]:
    stated = json.loads((source / "config.json").read_text()).get(
        "id2label", {"0": "LABEL_0", "1": "LABEL_1"}
    )
    return [stated[str(i)] for i in range(len(stated))]


def _close(name: str, found: Any, expected: Floats) -> None:
    """The model gives scores; their logarithms are the logits less the same number for all."""
    difference = float(np.abs(np.log(np.array(found)) - np.log(expected)).max())
    note(ENCODERS[name].model_type, "Chromium", name, difference)
    assert difference < LIMIT, name


def test_texts_are_classified(play: Play, readers: Readers) -> None:
    source, folder = readers["distilbert-classes"]
    found = play(folder, READ, method="classify", texts=TEXTS)
    ids = [encoding.ids for encoding in _encodings(source, TEXTS)]
    labels = _labels(source)
    for classes, logits in zip(
        found, TorchReader(source, "text-classification").read_texts(ids), strict=True
    ):
        order = np.argsort(-logits[0])
        assert [each["label"] for each in classes] == [labels[i] for i in order]
        _close("distilbert-classes", [each["score"] for each in classes], _softmax(logits[0])[order])


def test_words_are_classified_where_they_stand(play: Play, readers: Readers) -> None:
    source, folder = readers["bert-words"]
    found = play(folder, READ, method="classifyTokens", texts=TEXTS)
    encodings = _encodings(source, TEXTS)
    torch = TorchReader(source, "token-classification")
    labels = _labels(source)
    logits = torch.read_texts([encoding.ids for encoding in encodings])
    for text, words, encoding, scores in zip(TEXTS, found, encodings, map(_softmax, logits), strict=True):
        firsts = [i for i, word in enumerate(encoding.word_ids) if word not in (None, *encoding.word_ids[:i])]
        units = text.encode("utf-16-le")
        spans = [units[2 * word["start"] : 2 * word["end"]].decode("utf-16-le") for word in words]
        assert spans == [word["text"] for word in words]
        assert [word["start"] for word in words] == [_units(text[: encoding.offsets[i][0]]) for i in firsts]
        assert [word["label"] for word in words] == [labels[scores[i].argmax()] for i in firsts]
        _close("bert-words", [word["score"] for word in words], scores[firsts].max(-1))


def test_masks_are_filled(play: Play, readers: Readers) -> None:
    source, folder = readers["bert-masked"]
    found = play(folder, READ, method="fillMask", texts=MASKED)
    encodings = _encodings(source, MASKED)
    mask = next(
        id_ for id_, token in zip(encodings[0].ids, encodings[0].tokens, strict=True) if token == "[MASK]"
    )
    rows = [[i for i, id_ in enumerate(encoding.ids) if id_ == mask] for encoding in encodings]
    torch = TorchReader(source, "fill-mask").read_texts([encoding.ids for encoding in encodings], rows)
    for answers, logits in zip(found, torch, strict=True):
        for fillings, row in zip(answers if len(logits) > 1 else [answers], _softmax(logits), strict=True):
            assert [filling["id"] for filling in fillings] == list(np.argsort(-row)[:5])
            _close("bert-masked", [filling["score"] for filling in fillings], np.sort(row)[::-1][:5])


def test_the_page_of_models_lists_them_and_offers_the_pages_that_there_are(
    tab: Any, address: str, readers: Readers
) -> None:
    tab.goto(f"{address}/")
    masks, words = (tab.locator("article", has_text=f"tiny-bert-{name}") for name in ("masked", "words"))
    masks.wait_for()
    assert "this site has none" in masks.inner_text()
    assert masks.get_by_role("link").all_inner_texts() == ["What is in these bytes?"]
    assert words.get_by_role("link", name="Classify with it").count() == 1
