"""The law of the rollout: it leads to the wanted speed and stays there, and who is behind whom."""

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from behaviors_ros.learning.rollout import Places, Traffic, stepped  # noqa: E402


def traffic(speed, limit):
    """An agent alone on a road."""
    state, far = torch.tensor([[[speed]]]), torch.full((1, 1, 1), 100.0)
    return Traffic(state, state, state, torch.tensor([[[limit]]]), far, 0.0 * state, 0.0 * state)


@pytest.mark.parametrize("speed", [0.3, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("off", [0.5, 1.0, 1.5])
def test_a_step_does_not_lead_past_the_wanted_speed(speed, off):
    # Who keeps its speed where the limit is that speed wants just that; it is put above and below by half.
    law, now, far = traffic(speed, speed), torch.tensor([[[speed * off]]]), torch.full((1, 1, 1), 100.0)
    wish, side = law.wish.item(), []
    for _ in range(40):
        now, _ = stepped(now, law.pull(now, far, 0.0 * now, 0.5), 0.5)
        side.append(now.item() - wish)
    assert wish == pytest.approx(speed, abs=1e-6)
    # Never from above the wanted speed to below it by more than the gap to nobody takes away, nor from below to above.
    if off <= 1.0:
        assert max(side) <= 1e-5
    else:
        assert all(later <= before + 1e-6 for before, later in pairwise(side))
    assert abs(side[-1]) <= abs(speed * off - wish) + 0.2


def test_who_is_behind_whom():
    # Two paths of three in front each, then two futures on the first path and one on the second.
    places = Places([0, 0, 1], 3)
    values = torch.arange(9.0)[None, None]
    assert places.ahead == 6
    assert places.of(values, 1)[0, 0].tolist() == [1, 2, 0, 4, 5, 0, 0, 0, 3]
    assert places.of(values, 2)[0, 0].tolist() == [2, 0, 0, 5, 0, 0, 1, 1, 4]
