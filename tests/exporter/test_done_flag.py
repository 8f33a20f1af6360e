"""Tokens that were submitted together stop together: once the done flag is set, nothing that lasts changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from exporter.parity.plan_player import PlanPlayer
from tests.tiny_granite import random_ids

pytestmark = pytest.mark.gpu

Make = Callable[..., Path]
Kept = dict[str, npt.NDArray[np.uint32]]
# One submit: the first token from the head, the others decoded.
TOKENS = 8
SUBMIT = ("head", "sample", *("decode", "sample") * (TOKENS - 1))
FOREVER = 1 << 30


@pytest.fixture(scope="module", params=["base", "f16"])
def player(request: pytest.FixtureRequest, tiny_granite: Make, artifact: Make) -> PlanPlayer:
    """A hybrid with attention: keys and values, convolutions and scans all have states."""
    folder = artifact(tiny_granite(groups=2, position="rope"), quantize="q4", context=512)
    return PlanPlayer(folder, request.param)


def start(player: PlanPlayer, ids: list[int], limit: int, stops: list[int]) -> None:
    player.reset()
    player.write("sampling", np.zeros(4, np.uint32))
    player.write("stops", np.array([len(stops), *stops], np.uint32))
    player.write("ring", np.zeros(TOKENS, np.uint32))
    player.prefill(ids)
    player.step(len(ids), 0, limit=limit)


def kept(player: PlanPlayer) -> Kept:
    """All that lasts from one token to the next; of `step` what is left once the limit and the flag are told."""
    lasting = [b for b in player.plan["buffers"] if b["kind"] == "state" or b["name"] == "ring"]
    found = {b["name"]: player.read(b["name"], np.uint32, b["bytes"] // 4) for b in lasting}
    return found | {
        "ids": player.read("ids", np.uint32, 1),
        "step": player.read("step", np.uint32, 8)[[0, 1, 2, 4]],
    }


def after(player: PlanPlayer, ids: list[int], count: int) -> Kept:
    """What `count` tokens leave behind, each submitted by itself."""
    start(player, ids, FOREVER, [])
    player.play("head", "sample")
    for _ in range(count - 1):
        player.play("decode", "sample")
    return kept(player)


def same(found: Kept, expected: Kept) -> list[str]:
    """The names of what differs."""
    return [name for name, values in expected.items() if not np.array_equal(found[name], values)]


@pytest.mark.parametrize("length", [3, 65])
def test_done_at_every_step_of_a_submit(player: PlanPlayer, length: int) -> None:
    ids = random_ids(length)
    start(player, ids, FOREVER, [])
    player.play(*SUBMIT)
    made: list[Any] = player.read("ring", np.uint32, TOKENS).tolist()
    for step in range(1, TOKENS + 1):
        expected = after(player, ids, step)
        start(player, ids, step, [])
        player.play(*SUBMIT)
        assert same(kept(player), expected) == [], f"limit {step}"
        assert player.read("step", np.uint32, 8)[3] == 1
        if made.index(made[step - 1]) == step - 1:
            start(player, ids, FOREVER, [1 << 20, made[step - 1]])
            player.play(*SUBMIT)
            assert same(kept(player), expected) == [], f"end token at {step}"


def test_without_the_flag_more_tokens_do_change_what_lasts(player: PlanPlayer) -> None:
    """What the test above compares would tell."""
    ids = random_ids(65)
    changed = same(after(player, ids, 4), after(player, ids, 5))
    states = {b["name"] for b in player.plan["buffers"] if b["kind"] == "state"}
    assert {*states, "ring", "step"} <= set(changed)
