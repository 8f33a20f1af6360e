"""BERT and DistilBERT checkpoints under a megabyte, one row a task: seeded weights, a WordPiece trained on the spot."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CORPUS = (
    "The lightest thing that travels on the wind is the down of a thistle.",
    "Angela Merkel visited the Berlin offices of Siemens in March, and wrote to Ana.",
    "A shard is a GPU buffer, and a chunk is verified before it reaches the GPU.",
    "I loved this film; the second one was terrible, boring and far too long!",
    "Paris is the capital of France. Where is the nearest railway station, please?",
)


@dataclass(frozen=True)
class TinyEncoder:
    """A checkpoint of transformers' class `cls`; `config` goes before the sizes that all have.

    `renamed` replaces parts of tensor names in the saved file; `settings` are added
    to config.json.
    """

    name: str
    cls: str
    config: Mapping[str, object] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    seed: int = 20261124

    @property
    def model_type(self) -> str:
        return self.name.partition("-")[0]

    @property
    def vocabulary(self) -> int:
        return int(str(self.config.get("vocab_size", 320)))


_EMOTIONS = {0: "joy", 1: "anger", 2: "grief", 3: "fear", 4: "calm"}
_ENTITIES = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC", 5: "B-ORG", 6: "I-ORG"}

ENCODERS: Mapping[str, TinyEncoder] = {
    row.name: row
    for row in (
        TinyEncoder("bert-embeddings", "BertModel", {"vocab_size": 307, "num_hidden_layers": 3}),
        TinyEncoder(
            "bert-classes",
            "BertForSequenceClassification",
            {"id2label": _EMOTIONS, "label2id": {name: i for i, name in _EMOTIONS.items()}},
        ),
        TinyEncoder(
            "bert-many-classes",
            "BertForSequenceClassification",
            {"num_labels": 3, "hidden_act": "relu", "num_hidden_layers": 1},
            settings={"problem_type": "multi_label_classification"},
        ),
        TinyEncoder(
            "bert-words",
            "BertForTokenClassification",
            {"id2label": _ENTITIES, "num_attention_heads": 3, "hidden_size": 48},
        ),
        TinyEncoder("bert-masked", "BertForMaskedLM", {"vocab_size": 307, "hidden_act": "gelu_new"}),
        TinyEncoder(
            "bert-masked-untied", "BertForMaskedLM", {"tie_word_embeddings": False, "num_hidden_layers": 1}
        ),
        TinyEncoder(
            "bert-old-names",
            "BertForPreTraining",
            {"num_hidden_layers": 2},
            renamed={"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"},
        ),
        TinyEncoder("distilbert-embeddings", "DistilBertModel", {"n_layers": 1}),
        TinyEncoder("distilbert-classes", "DistilBertForSequenceClassification", {"vocab_size": 307}),
        TinyEncoder(
            "distilbert-words",
            "DistilBertForTokenClassification",
            {"num_labels": 4, "n_heads": 2, "activation": "relu"},
        ),
        TinyEncoder(
            "distilbert-masked", "DistilBertForMaskedLM", {"sinusoidal_pos_embds": True, "n_layers": 3}
        ),
    )
}

_BERT = {
    "hidden_size": 64,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "max_position_embeddings": 96,
}
_DISTILBERT = {"dim": 64, "n_heads": 4, "hidden_dim": 96, "n_layers": 2, "max_position_embeddings": 96}


def write_tiny_encoder(folder: Path, row: TinyEncoder) -> None:
    """Write config.json, model.safetensors and the tokenizer files into `folder`."""
    import torch
    import transformers

    is_bert = row.cls.startswith("Bert")
    config_class = transformers.BertConfig if is_bert else transformers.DistilBertConfig
    config = config_class(
        **{"vocab_size": 320, "initializer_range": 0.2, **(_BERT if is_bert else _DISTILBERT), **row.config}
    )
    torch.manual_seed(row.seed)
    model = getattr(transformers, row.cls)(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    _rewrite(folder, row)
    _write_tokenizer(folder, row.vocabulary)


def _rewrite(folder: Path, row: TinyEncoder) -> None:
    """Put the tensors and settings into the file that this library's own classes would not write."""
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    tensors = {}
    for name, array in load_file(path).items():
        for old, new in row.renamed.items():
            name = name.replace(old, new)
        tensors[name] = array
    save_file(tensors, path)
    config = json.loads((folder / "config.json").read_text()) | dict(row.settings)
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def _write_tokenizer(folder: Path, vocabulary: int) -> None:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=min(vocabulary, 300), special_tokens=list(SPECIAL_TOKENS), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    cls, sep = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "BertTokenizerFast",
        "mask_token": "[MASK]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
        "do_lower_case": True,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")


def random_texts(vocabulary: int, lengths: tuple[int, ...] = (3, 1, 17, 40, 2)) -> list[list[int]]:
    """Id lists of these lengths, the same ones each time."""
    import numpy as np

    random = np.random.default_rng(vocabulary)
    return [[int(i) for i in random.integers(0, vocabulary, length)] for length in lengths]
