"""The order and the arithmetic of a measurement, with a stand-in for the browser."""

from typing import Any

import pytest

from bench.measure import time_in_turns
from bench.settings import OURS
from bench.workloads import Workload

LOAD = Workload("prefill 32", "prefill", ([1, 2, 3],), None, 32)
MILLISECONDS = {OURS: 10.0, "fast": 5.0, "slow": 40.0}


class Tab:
    """Every engine takes its own time; the first call of each, the warm-up, takes a second."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def call(self, name: str, *args: object) -> Any:
        engine = str(args[0])
        assert (name, args[1:]) == ("measure", ("prefill", [[1, 2, 3]], None))
        self.asked.append(engine)
        return MILLISECONDS[engine] if self.asked.count(engine) > 1 else 1000.0


@pytest.fixture
def tab() -> Tab:
    return Tab()


def test_engines_take_turns_and_none_is_always_first(tab: Tab) -> None:
    time_in_turns(tab, [OURS, "fast", "slow"], LOAD, 2, lambda line: None)
    assert tab.asked == [OURS, "fast", "slow", "fast", "slow", OURS, "slow", OURS, "fast"]


def test_the_warm_up_is_not_counted(tab: Tab) -> None:
    found = time_in_turns(tab, [OURS, "fast", "slow"], LOAD, 3, lambda line: None)
    assert found["milliseconds"] == {name: [ms] * 3 for name, ms in MILLISECONDS.items()}


def test_a_row_says_speed_and_how_many_times_as_long_a_peer_takes(tab: Tab) -> None:
    found = time_in_turns(tab, list(MILLISECONDS), LOAD, 1, lambda line: None)
    assert found["tokens_per_second"][OURS] == pytest.approx(3200)
    assert found["times_as_long"]["slow"] == {"median": 4.0, "low": 4.0, "high": 4.0, "rounds": 1}
    assert found["times_as_long"]["fast"]["median"] == 0.5


def test_what_is_done_is_said(tab: Tab) -> None:
    said: list[str] = []
    time_in_turns(tab, [OURS], LOAD, 2, said.append)
    assert said == ["prefill 32: warm-up", "prefill 32: round 1 of 2", "prefill 32: round 2 of 2"]
