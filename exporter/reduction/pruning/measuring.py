"""What each part of a model does on calibration texts, by transformers in float32.

After Minitron (arXiv 2407.14679, 2408.11796; Mamba: 2504.11409): magnitudes are averaged over the tokens of a text and
joined over texts by their L2 norm. Neurons and heads count, unlike there, by what the linear after them makes of them:
scaling them up and it down changes nothing. A layer is worth how much it turns the stream, 1 - cosine of in and out.
An expert is worth the norm of what it adds, times the share that the router gives it (REAP, arXiv 2510.13999).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exporter.errors import CalibrationError, WeightsError
from exporter.reduction.pruning.anatomy import Anatomy
from exporter.reduction.pruning.choosing import Importance, Scores

if TYPE_CHECKING:
    from torch import Tensor, nn

_BATCH_TOKENS = 2048
_BATCH_TEXTS = 16
_TIMES_SAID = 10

Say = Callable[[str], None]


def measure(folder: Path, anatomy: Anatomy, texts: Sequence[Sequence[int]], say: Say) -> Importance:
    """The scores of everything that can go; `texts` are token ids. Raises WeightsError or CalibrationError."""
    import torch

    model = _load(folder, anatomy)
    listener = _Listener(anatomy, model)
    done = said = 0
    with torch.no_grad():
        for batch in _batches(texts):
            ids, mask = _padded(batch)
            listener.mask = mask
            model(input_ids=ids, attention_mask=mask)
            done += len(batch)
            if done * _TIMES_SAID // len(texts) > said:
                said = done * _TIMES_SAID // len(texts)
                say(f"calibration: {done} of {len(texts)} texts")
    return listener.importance()


def _load(folder: Path, anatomy: Anatomy) -> "nn.Module":
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        model, found = AutoModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, ImportError) as problem:
        raise CalibrationError(f"transformers cannot load the model: {problem}", folder.name) from None
    missing = [name for name in found["missing_keys"] if not name.startswith("pooler.")]
    if missing:
        raise WeightsError(f'Tensor "{missing[0]}" is missing', folder.name, "The weights are incomplete.")
    model.eval()
    return model


def _batches(texts: Sequence[Sequence[int]]) -> Iterator[Sequence[Sequence[int]]]:
    """Texts of like length together."""
    batch: list[Sequence[int]] = []
    for ids in sorted(texts, key=len):
        if batch and (len(batch) == _BATCH_TEXTS or (len(batch) + 1) * len(ids) > _BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(ids)
    yield batch


def _padded(batch: Sequence[Sequence[int]]) -> "tuple[Tensor, Tensor]":
    """Ids and mask (texts, tokens); padding is on the right, where no causal model sees it."""
    import torch

    ids = torch.zeros(len(batch), max(map(len, batch)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(batch):
        ids[row, : len(text)] = torch.tensor(list(text))
        mask[row, : len(text)] = 1
    return ids, mask


class _Listener:
    """Sums over texts; hooks on a model's modules add to them while it runs. `mask` is that of the batch."""

    mask: "Tensor"

    def __init__(self, anatomy: Anatomy, model: "nn.Module") -> None:
        self._anatomy, self._model = anatomy, model
        self._sums: dict[tuple[str, str], Scores] = {}
        family = anatomy.family
        for name in family.last_norms:
            if module := self._find(family.root + name):
                module.register_forward_hook(self._norm(name))
        for layer in range(len(anatomy.kinds)):
            self._listen(self._path(layer))

    def importance(self) -> Importance:
        """The scores of all that was heard."""
        layers = range(len(self._anatomy.kinds))
        turns = [self._sums[self._path(layer), "turn"] for layer in layers]
        norms = [np.sqrt(sums) for (_, what), sums in self._sums.items() if what == "norm"]
        hidden = sum(norms, np.zeros(self._anatomy.sizes["hidden"]))
        found = Importance(np.array(turns), hidden, [self._within(self._path(layer)) for layer in layers])
        found.check()
        return found

    def _path(self, layer: int) -> str:
        return f"{self._anatomy.family.root}{self._anatomy.family.layers}.{layer}"

    def _find(self, path: str) -> "nn.Module | None":
        return dict(self._model.named_modules()).get(path)

    def _listen(self, path: str) -> None:
        family = self._anatomy.family
        self._model.get_submodule(path).register_forward_hook(self._turn(path), with_kwargs=True)
        for name in family.norms:
            self._model.get_submodule(f"{path}.{name}").register_forward_hook(self._norm(f"{path}.{name}"))
        for name, reader in family.readers.items():
            if module := self._find(f"{path}.{reader}"):
                hook = self._experts(path) if name == "experts" else self._reader(path, name)
                module.register_forward_pre_hook(hook)
        if family.mixer and (module := self._find(f"{path}.{family.mixer}.in_proj")):
            module.register_forward_hook(self._mixer(path))

    def _add(self, path: str, what: str, values: "Tensor") -> None:
        self._sums[path, what] = self._sums.get((path, what), 0.0) + values.double().numpy()

    def _add_magnitudes(self, path: str, what: str, values: "Tensor") -> None:
        """Adds the squares of what the texts of `values` (texts, tokens, channels) are on average."""
        mask = self.mask.unsqueeze(-1)
        means = (values.reshape(*self.mask.shape, -1).abs() * mask).sum(1) / mask.sum(1)
        self._add(path, what, means.double().square().sum(0))

    def _norm(self, path: str) -> "Callable[..., None]":
        return lambda module, inputs, output: self._add_magnitudes(path, "norm", output)

    def _reader(self, path: str, what: str) -> "Callable[..., None]":
        """What a linear reads counts as far as the linear makes something of it."""

        def heard(module: Any, inputs: Any) -> None:
            self._add_magnitudes(path, what, inputs[0] * module.weight.norm(dim=0))

        return heard

    def _mixer(self, path: str) -> "Callable[..., None]":
        """Of the mixer's first linear only x is measured, which lies after the gate."""
        inner = self._anatomy.sizes["mamba_heads"] * self._anatomy.sizes["mamba_channels"]
        return lambda module, inputs, output: self._add_magnitudes(path, "x", output[..., inner : 2 * inner])

    def _turn(self, path: str) -> "Callable[..., None]":
        def heard(module: "nn.Module", inputs: Any, named: Any, output: Any) -> None:
            import torch

            before = inputs[0] if inputs else named["hidden_states"]
            after = output[0] if isinstance(output, tuple) else output
            turned = 1 - torch.nn.functional.cosine_similarity(before, after, dim=-1)
            self._add(path, "turn", (turned * self.mask).sum(1).div(self.mask.sum(1)).sum())

        return heard

    def _experts(self, path: str) -> "Callable[..., None]":
        def heard(module: Any, inputs: Any) -> None:
            import torch

            x, chosen, shares = inputs
            real = self.mask.reshape(-1, 1) > 0
            worth, neurons = torch.zeros(len(module.down_proj)), torch.zeros(module.down_proj.shape[::2])
            for expert, down in enumerate(module.down_proj):
                tokens, place = torch.where((chosen == expert) & real)
                gate, up = torch.nn.functional.linear(x[tokens], module.gate_up_proj[expert]).chunk(2, dim=-1)
                inner, share = module.act_fn(gate) * up, shares[tokens, place]
                worth[expert] = (torch.nn.functional.linear(inner, down).norm(dim=-1) * share).sum()
                neurons[expert] = (inner.abs() * share[:, None]).sum(0) * down.norm(dim=0)
            self._add(path, "experts", worth)
            self._add(path, "expert_mlp", neurons)

        return heard

    def _within(self, path: str) -> dict[str, Scores]:
        sizes = self._anatomy.sizes
        own = {what: sums for (place, what), sums in self._sums.items() if place == path}
        found: dict[str, Scores] = {what: own[what] for what in ("experts", "expert_mlp") if what in own}
        if "mlp" in own:
            found["mlp"] = np.sqrt(own["mlp"])
        if "heads" in own:
            found["heads"] = np.sqrt(own["heads"].reshape(sizes["heads"], -1).sum(1))
        if "x" in own:
            squares = own["x"].reshape(sizes["mamba_heads"], -1)
            found |= {"mamba_heads": np.sqrt(squares.sum(1)), "mamba_channels": np.sqrt(squares.sum(0))}
        return found
