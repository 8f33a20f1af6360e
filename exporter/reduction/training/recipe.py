"""What a training run is told, and how its learning rate goes."""

import argparse
from dataclasses import dataclass

_MOST = 20


def share(text: str) -> float:
    """An option's text as a part of one. Raises argparse.ArgumentTypeError for anything else."""
    found = float(text)
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share: it must be from 0 to 1")
    return found


def margin(text: str) -> float:
    """An option's text as nats. Raises argparse.ArgumentTypeError for what no logit should be moved by."""
    found = float(text)
    if not -_MOST <= found <= _MOST:
        raise argparse.ArgumentTypeError(f"{text} is no margin: it must be from -{_MOST} to {_MOST} nats")
    return found


@dataclass(frozen=True)
class Recipe:
    """Sizes of a run. The learning rate rises for `warm_up` steps, stays, and falls to zero in the last `cool_down`.

    `hardest` is the share of a step's batches that is learnt from: see hardest.py.
    """

    steps: int
    learning_rate: float = 1e-3
    warm_up: int = 100
    cool_down: int = 500
    weight_decay: float = 0.05
    clip: float = 1.0
    seed: int = 0
    log_every: int = 10
    save_every: int = 100
    mixed_precision: str = "no"
    workers: int = 0
    compiled: bool = False
    dropout: float = 0.0
    hardest: float = 1.0

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        rising = min(1.0, (step + 1) / max(1, self.warm_up))
        falling = min(1.0, (self.steps - step) / max(1, self.cool_down))
        return self.learning_rate * min(rising, falling)
