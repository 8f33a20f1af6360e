"""The checkpoint itself in transformers, float32 on the CPU: what everything else is compared with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class TorchEmbedder:
    """The mean of an encoder's last hidden states, of length 1; or the first of them, or of any length."""

    def __init__(self, folder: Path, first_token: bool = False, normalize: bool = True) -> None:
        import torch
        from transformers import AutoModel

        self._model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        self._first_token, self._normalize = first_token, normalize

    def embed(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Embeddings (len(texts), dimensions) of token id lists, one at a time."""
        return np.stack([self._one(ids) for ids in texts])

    def _one(self, ids: Sequence[int]) -> Floats:
        import torch

        with torch.no_grad():
            hidden = self._model(input_ids=torch.tensor([list(ids)])).last_hidden_state
            pooled = hidden[:, 0] if self._first_token else hidden.mean(dim=1)
            if self._normalize:
                pooled = torch.nn.functional.normalize(pooled, dim=-1)
        return np.asarray(pooled[0].numpy(), np.float32)


class TorchReader:
    """An encoder with the head of a task."""

    def __init__(self, folder: Path, task: str) -> None:
        import torch
        import transformers

        name = {
            "text-classification": "AutoModelForSequenceClassification",
            "token-classification": "AutoModelForTokenClassification",
            "fill-mask": "AutoModelForMaskedLM",
        }[task]
        self._model = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32).eval()

    def read_texts(self, texts: Sequence[Sequence[int]], rows: Sequence[Sequence[int]] = ()) -> list[Floats]:
        """Logits of each of the token id lists, as `PlanPlayer.read_texts` gives them; all tokens without `rows`."""
        found = [self._one(ids) for ids in texts]
        return [one[list(some)] for one, some in zip(found, rows, strict=True)] if rows else found

    def _one(self, ids: Sequence[int]) -> Floats:
        import torch

        with torch.no_grad():
            logits = self._model(input_ids=torch.tensor([list(ids)])).logits
        return np.asarray(logits.numpy(), np.float32).reshape(-1, logits.shape[-1])


class TorchDecoder:
    """A causal language model."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._model.generation_config.eos_token_id = None

    def logits(self, ids: Sequence[int]) -> Floats:
        """Logits (len(ids), vocabulary) of one whole forward pass."""
        import torch

        with torch.no_grad():
            logits = self._model(torch.tensor([list(ids)])).logits
        return np.asarray(logits[0].numpy(), np.float32)

    def generate(self, ids: Sequence[int], count: int) -> list[int]:
        """`count` greedy ids after `ids`; end ids do not end it."""
        import torch

        with torch.no_grad():
            made = self._model.generate(torch.tensor([list(ids)]), max_new_tokens=count, do_sample=False)
        return [int(token) for token in made[0, len(ids) :]]
