import pytest

from bench import Spread, ratios


def test_a_spread_is_the_median_between_the_least_and_the_largest() -> None:
    assert Spread.of([4.0, 1.0, 2.0]) == Spread(2.0, 1.0, 4.0, 3)


def test_ratios_are_taken_round_by_round() -> None:
    """A busy moment that hits a whole round leaves its ratio alone; a ratio of medians would show it."""
    found = ratios({"ours": [1.0, 10.0, 1.0], "peer": [2.0, 20.0, 3.0]}, "ours")
    assert found == {"peer": Spread(2.0, 2.0, 3.0, 3)}


def test_a_peer_without_times_has_no_ratio() -> None:
    assert ratios({"ours": [1.0], "peer": []}, "ours") == {}


def test_rounds_that_do_not_match_are_a_fault() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios({"ours": [1.0, 1.0], "peer": [2.0]}, "ours")
