"""Futures beside that of physics: where they are by hand, what the network does not see, that it learns."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from behaviors_ros.learning.losses import LossParameters, losses  # noqa: E402
from behaviors_ros.learning.residual import Residual, ResidualParameters, on_way, seen  # noqa: E402
from behaviors_ros.prediction.learned_features import AGENT, FeatureSchema  # noqa: E402
from behaviors_ros.prediction.learned_paths import QUEUE  # noqa: E402

SCHEMA = FeatureSchema(future_steps=4, leaders=2, neighbours=1, past_steps=3, neighbour_steps=2)
SIZE = ResidualParameters(hidden=8, dropout=0.0, noise=0.0)


def shown(n=6, seed=0):
    """Agents that drive straight on, each behind another."""
    speed = torch.from_numpy(np.random.default_rng(seed).uniform(5.0, 15.0, n).astype(np.float32))
    x = {name: torch.zeros(n, *shape) for name, shape in SCHEMA.shapes.items()}
    x["agent"][:, :3] = speed[:, None]
    x["agent"][:, AGENT.index("car")] = 1.0
    x["queue"][:, 1, 1, QUEUE.index("gap")], x["queue_valid"][:, 1, 1] = 20.0, 1.0
    x["queue"][:, 1, 1, 1:4] = speed[:, None] - 1.0
    x["base"][..., 0] = speed[:, None] * 0.5 * torch.arange(1, 5)
    return x


def test_a_way_by_hand():
    # 3 m along x, then 4 m along y: 5 m along it is 2 m up the second piece, 9 m is 2 m beyond its end.
    way = torch.tensor([[[3.0, 0.0], [3.0, 4.0]]])
    s = torch.tensor([[[0.0, 1.5, 5.0, 9.0]]])
    expected = torch.tensor([[0.0, 0.0], [1.5, 0.0], [3.0, 2.0], [3.0, 6.0]])
    assert torch.allclose(on_way(way, s)[0, 0], expected, atol=1e-5)
    # Who stands, and then drives after all, goes ahead.
    assert torch.allclose(on_way(torch.zeros(1, 2, 2), s)[0, 0, :, 0], s[0, 0], atol=1e-5)


def test_the_columns_by_hand():
    x = {name: torch.zeros(1, *shape) for name, shape in SCHEMA.shapes.items()}
    x["agent"][0, :3] = torch.tensor([8.0, 9.0, 6.0])
    x["queue"][0, 1, 1, :4], x["queue_valid"][0, 1, 1] = torch.tensor([20.0, 6.0, 7.0, 10.0]), 1.0
    x["base"][0, :, 0] = torch.tensor([4.5, 9.0, 13.5, 18.0])
    # Speed 8 / 10, not standing, 8 - 9, (8 - 6) / 2; a leader: (6 - 8) / 5, (6 - 7) / 2, (6 - 10) / 2, 20 / 10 / 2, 1.
    # Physics: 9 m in 1 s is 8 + 2 / 2, so 2 m/s^2; for 3 s and 5 s the last step, 18 m in 2 s, 8 2 + 1 2^2 / 2.
    wanted = [0.8, 0.0, -1.0, 1.0, 1.0, -0.4, -0.5, -2.0, 1.0, 1.0, *[0.0] * 6, 2.0, 1.0, 1.0]
    assert torch.allclose(seen(x)[0], torch.tensor(wanted), atol=1e-6)


def test_before_training_the_first_future_is_that_of_physics():
    x, net = shown(), Residual(SCHEMA, SIZE).eval()
    out = net(x)
    assert torch.allclose(out["position"][:, 0], x["base"], atol=1e-4)
    assert torch.allclose(out["single"], x["base"], atol=1e-4)
    # The second speeds up by 0.25 (1 / 2) t^2 / (1 + t / 8): 0.4 m after 2 s; the third is as much slower.
    ahead = out["position"][:, 1:3, -1, 0] - x["base"][:, None, -1, 0]
    assert torch.allclose(ahead, torch.tensor([0.4, -0.4]).expand(len(ahead), 2), atol=1e-4)


def test_a_future_between_physics_and_the_speed_of_now_by_hand():
    # 10 m/s now, 4 m each half second by physics: half of the difference of 1 m is 0.5 m more each time.
    x, net = shown(1), Residual(SCHEMA, SIZE).eval()
    x["agent"][:, :3], x["base"][0, :, 0] = 10.0, torch.tensor([4.0, 8.0, 12.0, 16.0])
    with torch.no_grad():
        net.shape.bias.view(SCHEMA.modes, -1)[0, -1] = 0.5
    assert torch.allclose(net(x)["position"][0, 0, :, 0], torch.tensor([4.5, 9.0, 13.5, 18.0]), atol=1e-3)


def test_nobody_drives_back():
    x, net = shown(), Residual(SCHEMA, SIZE).eval()
    with torch.no_grad():
        net.shape.bias.view(SCHEMA.modes, -1)[:, 0] = -50.0
    out = net(x)["position"]
    assert (out[..., 1:, 0] >= out[..., :-1, 0] - 1e-5).all()


def test_it_does_not_see_where_it_is():
    x, net = shown(), Residual(SCHEMA, SIZE).eval()
    net.fit(x)
    moved = {name: values.clone() for name, values in x.items()}
    for name in ("path", "path_point", "path_past", "past", "neighbour"):
        moved[name] += 3.0
    assert all(torch.equal(a, b) for a, b in zip(net(x).values(), net(moved).values(), strict=True))


def test_what_was_rare_in_training_is_kept_within():
    x, net = shown(200), Residual(SCHEMA, SIZE).eval()
    net.fit(x)
    fast, faster = shown(200), shown(200)
    for each, speed in ((fast, 40.0), (faster, 55.0)):
        each["agent"][:, :3], each["queue"][:, 1, 1, 1:4] = speed, speed - 1.0
    assert torch.equal(net(fast)["logit"], net(faster)["logit"])


def test_it_learns_who_brakes():
    torch.manual_seed(0)
    x, net = shown(64), Residual(SCHEMA, SIZE)
    net.fit(x)
    time = 0.5 * torch.arange(1, 5)
    truth = x["base"].clone()
    truth[..., 0] -= 0.5 * time**2
    known, solver, found = torch.ones(64, 4), torch.optim.Adam(net.parameters(), 0.02), []
    for _ in range(60):
        out = losses(net(x), truth, known, LossParameters())
        solver.zero_grad()
        out["total"].backward()
        solver.step()
        found.append(out["best"].item())
    assert found[-1] < 0.7 * found[0]
