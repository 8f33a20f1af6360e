"""What generation_config.json says beside the settings that the engine follows."""

import pytest

from exporter.generation import generation_defaults, ignored_settings


def test_settings_that_change_the_text_and_are_not_followed_are_named() -> None:
    config = {"repetition_penalty": 1.1, "min_p": 0.05, "num_beams": 1, "typical_p": 1.0, "temperature": 0.7}
    assert ignored_settings(config) == ("min_p", "repetition_penalty")


@pytest.mark.parametrize("neutral", [{}, {"repetition_penalty": 1}, {"suppress_tokens": []}, {"min_p": None}])
def test_settings_that_change_nothing_are_not_named(neutral: dict[str, object]) -> None:
    assert ignored_settings(neutral) == ()


def test_the_stops_are_those_of_generation_config_alone() -> None:
    assert generation_defaults({"eos_token_id": [5, 6]}, {"eos_token_id": 2}, 10).stop_ids == (5, 6)
    assert generation_defaults({"eos_token_id": 5}, {"eos_token_id": [2]}, 10).stop_ids == (5,)
    assert generation_defaults({}, {"eos_token_id": [2, 3]}, 10).stop_ids == (2, 3)
