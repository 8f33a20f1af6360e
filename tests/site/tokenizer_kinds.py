"""Tokenizers of every kind, made on the spot, and texts on which such tokenizers differ."""

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer, UnigramTrainer

from tests.site.charsmap import charsmap

Json = dict[str, Any]

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CORPUS = (
    "The lightest thing that travels on the wind is the down of a thistle. It's theirs; they've seen it.",
    "Où est la bibliothèque? Die Straße ist naß. ΣΊΣΥΦΟΣ έφυγε. Быстрая лиса. שלום עולם. مرحبا بالعالم",
    "東京は大きい。漢字とかな。 한국어 문장입니다. नमस्ते दुनिया। สวัสดีชาวโลก 🌬️ 👩‍👩‍👧 0123456789 +-*/=<>(){}[]",
    "def scan(x, dt):\n\treturn [y for y in steps(x, dt)]  # 12345.678\n\n\n    if x != y:\r\n        pass",
    "aaaaaaaaaaaaaaaaaaaaaaaa     bbbbbbbb        ........ -------- ======== ______ 000000000000",
) * 20
SPECIAL = ("<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>")


def added_tokens() -> list[AddedToken]:
    """Every sort of added token, some the beginnings or parts of others."""
    return [
        AddedToken("<mask>", lstrip=True, special=True),
        AddedToken("<right>", rstrip=True, normalized=False),
        AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
        AddedToken("word", single_word=True, normalized=False),
        AddedToken("Größe", normalized=True),
        AddedToken("two words", normalized=True),
        AddedToken("<tool>", normalized=False),
        AddedToken("<tool>_call", normalized=False),
        AddedToken("   ", normalized=False),
        AddedToken("一二", normalized=False),
        AddedToken("solo", single_word=True, lstrip=True, normalized=True),
    ]


def _trained(tokenizer: Tokenizer, trainer: Any) -> Tokenizer:
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.add_tokens(added_tokens())
    return tokenizer


def _bytes_trainer() -> BpeTrainer:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return BpeTrainer(
        vocab_size=900, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )


def gpt2() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return _trained(tokenizer, _bytes_trainer())


def llama3() -> Tokenizer:
    """As Llama 3, Granite and Qwen2 have it: a pattern of its own, and a template around the text."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer = _trained(tokenizer, _bytes_trainer())
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(),
            processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]),
        ]
    )
    return tokenizer


def _sentence_piece(spaces: normalizers.Normalizer | None) -> Tokenizer:
    """Trained with pieces that begin with the mark of a space; a token for each byte."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = BpeTrainer(
        vocab_size=900, special_tokens=["<unk>", "<s>", "</s>", *byte_tokens], show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS[:1] * 5 + CORPUS[3:5], trainer)
    made = json.loads(tokenizer.to_str())
    made["added_tokens"] = [token for token in made["added_tokens"] if not token["content"].startswith("<0x")]
    made["model"] |= {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}
    made["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(made))
    if spaces is not None:
        tokenizer.normalizer = spaces
    tokenizer.add_special_tokens(["<s>", "</s>", "<|im_end|>"])
    tokenizer.add_tokens(added_tokens())
    return tokenizer


def llama2() -> Tokenizer:
    """As Llama 2, TinyLlama and Mistral have it."""
    steps = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    tokenizer = _sentence_piece(normalizers.Sequence(steps))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def gemma() -> Tokenizer:
    """As Gemma has it: nothing is put before a text, and spaces are split off."""
    tokenizer = _sentence_piece(normalizers.Replace(" ", "▁"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


def metaspace() -> Tokenizer:
    """As newer Llama 2 conversions have it: the mark of a space only before the first piece."""
    tokenizer = _sentence_piece(None)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")]
    )
    return tokenizer


def _unigram(normalizer: normalizers.Normalizer, pre_tokenizer: pre_tokenizers.PreTokenizer) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    trainer = UnigramTrainer(
        vocab_size=700, special_tokens=["<unk>", *SPECIAL[:2]], unk_token="<unk>", show_progress=False
    )
    return _trained(tokenizer, trainer)


def xlm_roberta() -> Tokenizer:
    """As XLM-R and T5 have it: SentencePiece's own normalization, compiled."""
    spaces = normalizers.Replace(Regex(" {2,}"), " ")
    steps: list[Any] = [normalizers.Precompiled(charsmap()), normalizers.Strip(left=False), spaces]
    split = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    return _unigram(normalizers.Sequence(steps), split)


def unigram_nfkc() -> Tokenizer:
    steps: list[Any] = [
        normalizers.Nmt(),
        normalizers.NFKC(),
        normalizers.Lowercase(),
        normalizers.StripAccents(),
    ]
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation(),
        ]
    )
    return _unigram(normalizers.Sequence(steps), split)


MADE = (gpt2, llama3, llama2, gemma, metaspace, xlm_roberta, unigram_nfkc)
ENDS = (0x250, 0x700, 0x2000, 0x3000, 0x10000, 0x20000, 0xE0200)


def _character(chance: random.Random) -> str:
    """Scripts of few characters come as often as those of many."""
    point = chance.randrange(1, chance.choice(ENDS))
    return "\uffff" if 0xD800 <= point <= 0xDFFF else chr(point)


CURIOUS: list[str] = json.loads(Path(__file__).with_name("tokenizer_kinds_texts.json").read_text())


@cache
def texts(seed: int, count: int, tokens: tuple[str, ...]) -> list[str]:
    """Seeded texts: curious things, characters of all scripts, long runs, and every token in context."""
    chance = random.Random(seed)
    around = ("", " ", "  ", "a", "word", "\n", "\t", "é", ".", "\u3000", "漢")
    found = [
        "",
        " ",
        *CURIOUS,
        *(thing * length for thing in ("a", " ", "é", "漢", "👍") for length in (257, 5000)),
    ]
    found += [
        f"{before}{token}{behind}"
        for token in tokens
        for before in around
        for behind in ("", " x", "s", "\n")
    ]
    plain = ("the ", "wind ", "is ", "thistle", "ing", " ", "  ", "\n", ".", ",", "12", "return x", "Straße ")
    while len(found) < count:
        parts = (*CURIOUS, *plain, *tokens)
        length = chance.randrange(1, 12)
        made = [chance.choice(parts) if chance.random() < 0.7 else _character(chance) for _ in range(length)]
        found.append(
            "".join(made) if chance.random() < 0.9 else chance.choice(parts) * chance.randrange(2, 300)
        )
    return found


def kinds() -> dict[str, Json]:
    """Name -> tokenizer.json of what this file makes."""
    return {make.__name__: json.loads(make().to_str()) for make in MADE}


def with_float32_scores(tokenizer: Json) -> Json:
    """Unigram's scores as SentencePiece writes them; the trainer here has them in double precision."""
    model = tokenizer["model"]
    vocab = [[token, float(np.float32(score))] for token, score in model["vocab"]]
    return {**tokenizer, "model": {**model, "vocab": vocab}}
