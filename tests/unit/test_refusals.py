"""When a refused sign-in is answered."""

import pytest

from fsms.sign_in import BEAT_SECONDS, rest_of_beat


@pytest.mark.parametrize(("unknown_name", "known_name"), [(0.2186, 0.2217), (0.0591, 0.0639), (0.001, 0.099)])
def test_a_few_milliseconds_more_work_end_on_the_same_beat(unknown_name: float, known_name: float) -> None:
    answered = {round(worked + rest_of_beat(worked), 6) for worked in (unknown_name, known_name)}

    assert len(answered) == 1


@pytest.mark.parametrize("worked", [0.0, 0.05, 0.1, 0.25, 3.333])
def test_nobody_waits_longer_than_a_beat(worked: float) -> None:
    assert 0 <= rest_of_beat(worked) <= BEAT_SECONDS
