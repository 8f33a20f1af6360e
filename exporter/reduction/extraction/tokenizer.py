"""The tokenizer of the extraction model: byte-level BPE in which a word is the same tokens wherever it stands.

A value is copied from the message into JSON. Most tokenizers join a word with the space before it, so that it is other
tokens after a quotation mark, and a small model has to learn both spellings. Here spaces, digits and marks are pieces
of their own, and so is what JSON puts around values, as a whole.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.errors import ReductionError
from exporter.reduction.extraction.examples import training_examples
from exporter.reduction.extraction.prompts import ASSISTANT, CHAT_TEMPLATE, END, USER
from exporter.reduction.extraction.schema import all_fields

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = 4096
_PIECES = r'\{"|": "|", "|": null|, "|"\}|\}|\p{L}+|\p{N}|\s|[^\p{L}\p{N}\s]'
# One of these pieces, as the vocabulary spells it.
_NULL = '":Ġnull'
_SAMPLES = 60_000
_SEED = 7


def train_tokenizer() -> "Tokenizer":
    """The tokenizer, from examples of the training set."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    specials = [AddedToken(text, special=True, normalized=False) for text in (END, USER, ASSISTANT)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    return tokenizer


def write_tokenizer(tokenizer: "Tokenizer", folder: Path) -> None:
    """tokenizer.json, tokenizer_config.json with the chat template, generation_config.json."""
    tokenizer.save(str(folder / "tokenizer.json"))
    end = tokenizer.token_to_id(END)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": END,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    generation = {"do_sample": False, "eos_token_id": end, "pad_token_id": end}
    for name, value in (("tokenizer_config.json", config), ("generation_config.json", generation)):
        (folder / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def null_of(tokenizer: "Tokenizer") -> int:
    """The token that says that a field has no value. Raises ReductionError where it is not one token."""
    found: int | None = tokenizer.token_to_id(_NULL)
    if found is None:
        raise ReductionError(
            f"the tokenizer has no token {_NULL}",
            "--null-weight, --null-margin",
            "Train without them, or a tokenizer anew.",
        )
    return found


def _texts() -> Iterator[str]:
    yield from all_fields() * 200
    for example in islice(training_examples(_SEED), _SAMPLES):
        yield example.message
        yield example.answer
