"""Network, losses, augmentation, calibration: by hand on small cases, and one training that learns."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from behaviors_ros.learning.answer import Answer, Ensemble  # noqa: E402
from behaviors_ros.learning.augmentation import MAP, Augmentation, augmented  # noqa: E402
from behaviors_ros.learning.calibration import calibrate  # noqa: E402
from behaviors_ros.learning.losses import LossParameters, displacement, losses, mixture_nll, motion  # noqa: E402
from behaviors_ros.learning.model import Forecaster, ModelParameters, on_path  # noqa: E402
from behaviors_ros.prediction.learned_features import AGENT, FeatureSchema  # noqa: E402
from behaviors_ros.prediction.learned_paths import PATH  # noqa: E402

SCHEMA = FeatureSchema(neighbours=2, paths=3, path_points=8, leaders=2, future_steps=6, past_steps=6, neighbour_steps=2)
SMALL = ModelParameters(hidden=16, driver=8, traits=4, dropout=0.0, slots=(0, 0, 0, 0, 1, 1))
PLAIN = Augmentation(mirror=0, shorten=0, no_map=0, no_neighbours=0, position_m=0, speed_mps=0, scale=1)


def free_road(speeds, count=None):
    """Agents alone on a straight lane, at these speeds so far."""
    speeds = torch.as_tensor(speeds, dtype=torch.float32)
    n = len(speeds)
    x = {name: torch.zeros(n, *shape) for name, shape in SCHEMA.shapes.items()}
    for name in ("speed", "speed_1s", "speed_2s"):
        x["agent"][:, AGENT.index(name)] = speeds
    x["agent"][:, AGENT.index("length")], x["agent"][:, AGENT.index("car")] = 4.5, 1.0
    back = SCHEMA.dt_s * (torch.arange(SCHEMA.past_steps) - SCHEMA.past_steps + 1)
    x["past"][..., 0], x["past_valid"][:] = speeds[:, None] * back, 1.0
    x["path_valid"][:, :2] = 1.0
    spacing = (8.0 * speeds + 40.0) / 7.0
    x["path"][:, :, PATH.index("spacing")] = spacing[:, None]
    x["path"][:, :2, PATH.index("cos")] = 1.0
    x["path"][:, 1, PATH.index("limit")] = speeds
    x["path_point"][..., 0] = (spacing[:, None] * torch.arange(8.0))[:, None]
    x["path_point"][..., 2] = 1.0
    return x


def output(position, logit=None, spread=None, single=None):
    position = torch.as_tensor(position, dtype=torch.float32)
    n, modes, steps, _ = position.shape
    return {
        "position": position, "logit": torch.zeros(n, modes) if logit is None else torch.as_tensor(logit),
        "spread": torch.zeros(n, modes, steps, 3) if spread is None else spread,
        "single": position[:, 0] if single is None else torch.as_tensor(single)
    }  # fmt: skip


def test_before_training_who_keeps_its_speed_keeps_it():
    torch.manual_seed(0)
    model = Forecaster(SCHEMA, SMALL).eval()
    with torch.no_grad():
        found = model(free_road([0.0, 8.0, 15.0]))
    time = 0.5 * np.arange(1, 7)
    for row, speed in enumerate((0.0, 8.0, 15.0)):
        np.testing.assert_allclose(found["single"][row, :, 0], speed * time, atol=1e-3)
        np.testing.assert_allclose(found["single"][row, :, 1], 0.0, atol=1e-4)


def test_before_training_one_brakes_behind_who_stands():
    # 10 m/s, 60 m behind the centre of a car that stands: nobody gets past its rear, and all slow down.
    x = free_road([10.0])
    x["queue"][0, 1, 1], x["queue_valid"][0, 1, 1] = torch.tensor([60.0 - 4.5, 0.0, 0.0, 0.0, 4.5]), 1.0
    with torch.no_grad():
        single = Forecaster(SCHEMA, SMALL).eval()(x)["single"][0, :, 0]
    steps = torch.diff(single)
    assert (torch.diff(steps) < 0.0).all() and single[-1] < 30.0


def test_on_path_by_hand():
    # Points each 10 m: 20 m along x, then up. At s = 5: (5, 0); at s = 25, 1 m left: (20 - 1, 5); 7 m past the end.
    points = torch.tensor([[0.0, 0, 1, 0, 0], [10, 0, 1, 0, 0], [20, 0, 0, 1, 0], [20, 10, 0, 1, 0]])
    s, d = torch.tensor([5.0, 25.0, 37.0]), torch.tensor([0.0, 1.0, 0.0])
    found = on_path(points[None], torch.tensor([10.0]), s[None], d[None])[0]
    np.testing.assert_allclose(found, [[5, 0], [19, 5], [20, 17]], atol=1e-5)


def test_displacement_by_hand():
    # sqrt(3^2 + 4^2 + 12^2) - 12 = 13 - 12
    assert displacement(torch.tensor([3.0, 4.0]), torch.zeros(2), 12.0).item() == pytest.approx(1.0)


def test_losses_by_hand():
    # One agent, two futures, two steps, the truth at (1, 0), (2, 0); the first is 1 m and 3 m off, the second 2 m and
    # 2 m; with the last step counted once more the costs are 2 + 3 = 5 and 2 + 2 = 4: the second is nearest.
    position = [[[[1.0, 1.0], [2.0, 3.0]], [[1.0, -2.0], [2.0, -2.0]]]]
    truth, known = torch.tensor([[[1.0, 0.0], [2.0, 0.0]]]), torch.ones(1, 2)
    found = losses(
        output(position, [[0.0, math.log(3.0)]]), truth, known, LossParameters(soft_m=1e-6, others=0.1, miss=0.0)
    )
    # The K = 1 answer is the first: 1 m and 3 m off, 2 + 3.
    assert found["single"].item() == pytest.approx(5.0, abs=1e-4)
    assert found["best"].item() == pytest.approx(4.0 + 0.1 * 4.5, abs=1e-4)
    assert found["choice"].item() == pytest.approx(-math.log(0.75), abs=1e-5)


def test_steps_that_are_not_known_do_not_count():
    position = [[[[1.0, 1.0], [2.0, 3.0]], [[1.0, -2.0], [2.0, -2.0]]]]
    known = torch.tensor([[1.0, 0.0]])
    found = []
    for wild in (0.0, 1e3):
        truth = torch.tensor([[[1.0, 0.0], [2.0, wild]]])
        found.append(losses(output(position), truth, known, LossParameters()))
    for name, value in found[0].items():
        assert found[1][name].item() == pytest.approx(value.item())
    # 1 m at the only step, and again as the last one
    assert found[0]["single"].item() == pytest.approx(2.0, abs=0.2)


def test_a_miss_costs_more():
    # 4 m off at the end is twice the limit: sigmoid(4 (4 / 2 - 1)) = 0.982 of the weight is added to 4 + 4.
    position, truth = [[[[4.0, 0.0]], [[5.0, 0.0]]]], torch.zeros(1, 1, 2)
    values = LossParameters(soft_m=1e-6, others=0.0, miss=3.0)
    found = losses(output(position), truth, torch.ones(1, 1), values)
    assert found["best"].item() == pytest.approx(8.0 + 3.0 / (1.0 + math.exp(-4.0)), abs=1e-3)


def test_density_by_hand():
    # One Gaussian with deviations 2 along and 1 across the motion, which goes up; the truth is 2 m ahead and 1 m right:
    # -log p = log(2 pi 2 1) + (1 + 1) / 2
    found = output([[[[0.0, 1.0], [0.0, 2.0]]]])
    found["spread"][..., 0] = math.log(2.0)
    truth = torch.tensor([[[1.0, 3.0], [1.0, 4.0]]])
    nll = mixture_nll(found, truth, torch.ones(1, 2))
    np.testing.assert_allclose(nll, np.full((1, 2), math.log(4.0 * math.pi) + 1.0), rtol=1e-5)


def test_motion_of_who_stands_is_ahead():
    cos, sin = motion(torch.tensor([[[[0.0, 0.01], [0.0, 1.0]]]]))
    np.testing.assert_allclose(cos[0, 0], [1, 0], atol=1e-5)
    np.testing.assert_allclose(sin[0, 0], [0, 1], atol=1e-5)


def batch(n=24, seed=0):
    """Agents who all slow down by 1 m/s^2, which the law does not expect."""
    speeds = np.random.default_rng(seed).uniform(6.0, 15.0, n)
    x = free_road(speeds)
    time = 0.5 * torch.arange(1.0, 7.0)
    way = torch.as_tensor(speeds, dtype=torch.float32)[:, None] * time - 0.5 * time**2
    x["truth"] = torch.stack([way, 0.0 * way], -1)
    x["known"] = torch.ones(n, 6)
    return x


def trained(steps, seed=0):
    torch.manual_seed(seed)
    model = Forecaster(SCHEMA, SMALL)
    solver = torch.optim.AdamW(model.parameters(), 1e-2)
    data, values = batch(), []
    for _ in range(steps):
        found = losses(model(data), data["truth"], data["known"], LossParameters())
        solver.zero_grad()
        found["total"].backward()
        solver.step()
        values.append(found["total"].item())
    return model, values


def test_a_step_lowers_the_loss_and_more_of_them_learn():
    _, values = trained(30)
    assert values[1] < values[0]
    assert values[-1] < 0.75 * values[0]


def test_seeds_reproduce():
    assert trained(3, 5)[1] == trained(3, 5)[1]
    assert trained(3, 5)[1] != trained(3, 6)[1]


def test_all_weights_are_reached_by_the_loss():
    model, _ = trained(3)
    data = batch()
    data["path_valid"][:4, 1:] = 0.0
    losses(model(data), data["truth"], data["known"], LossParameters())["total"].backward()
    lazy = {name for name, weight in model.named_parameters() if weight.grad is None}
    assert not lazy


def test_mirrored_twice_is_the_same():
    data = batch()
    data["path"][:, 1, PATH.index("offset")] = 0.7
    data["path"][:, 2, PATH.index("change_left")] = 1.0
    always = PLAIN.model_copy(update={"mirror": 1.0})
    once = augmented(data, always, torch.Generator().manual_seed(0))
    assert (once["path"][:, 2, PATH.index("change_right")] == 1.0).all()
    assert (once["path"][:, 1, PATH.index("offset")] == -0.7).all()
    twice = augmented(once, always, torch.Generator().manual_seed(0))
    for name, values in data.items():
        np.testing.assert_allclose(twice[name], values, err_msg=name)


def test_augmentation_by_hand():
    data = batch(8)
    same = augmented(data, PLAIN, torch.Generator().manual_seed(0))
    for name, values in data.items():
        np.testing.assert_array_equal(same[name], values)
    mapless = augmented(data, PLAIN.model_copy(update={"no_map": 1.0}), torch.Generator().manual_seed(0))
    for name in MAP:
        assert (mapless[name][:, 1:] == 0.0).all()
    assert (mapless["path_valid"][:, 0] == 1.0).all()
    short = augmented(
        data, PLAIN.model_copy(update={"shorten": 1.0, "least_past": 2}), torch.Generator().manual_seed(0)
    )
    assert (short["past_valid"][:, -2:] == 1.0).all() and short["past_valid"].sum() < data["past_valid"].sum()
    larger = augmented(data, PLAIN.model_copy(update={"scale": 2.0}), torch.Generator().manual_seed(0))
    by = larger["truth"][:, -1, 0] / data["truth"][:, -1, 0]
    np.testing.assert_allclose(larger["agent"][:, 0], by * data["agent"][:, 0], rtol=1e-5)
    assert (by >= 0.5).all() and (by <= 2.0).all() and by.std() > 0.1


def test_calibration_finds_what_was_wrong():
    # Two futures 20 m apart; the truth is near the first in 70 of 100 cases, with deviation 2 m in both directions.
    # The logits claim far more (odds e^4), the spread says 1 m: the temperature makes 0.7 of it, the inflation log 2.
    generator = np.random.default_rng(0)
    n = 2000
    position = np.zeros((n, 2, 6, 2), np.float32)
    position[:, :, :, 0] = np.arange(1, 7)
    position[:, 1, :, 1] = 20.0
    pick = (np.arange(n) % 10 >= 7).astype(int)
    noise = generator.normal(0.0, 1.0, (n, 6, 2)).astype(np.float32)
    found = output(position, np.tile(np.array([[4.0, 0.0]], np.float32), (n, 1)))
    for deviation in (2.0, 0.5):
        answer, truth = Answer(torch.nn.Identity(), SCHEMA), position[np.arange(n), pick] + deviation * noise
        calibrate(answer, found, torch.from_numpy(truth), torch.ones(n, 6))
        said = answer(found)
        assert said["probability"][0, 0].item() == pytest.approx(0.7, abs=0.01)
        np.testing.assert_allclose(said["spread"][0, 0, :, :2].exp(), deviation, rtol=0.05)


def test_ensemble_and_answer():
    members = [Forecaster(SCHEMA, SMALL).eval() for _ in range(2)]
    x = free_road([5.0, 12.0])
    with torch.no_grad():
        for member in members:
            torch.nn.init.normal_(member.lateral[-1].weight, 0.0, 0.1)
        each = [member(x) for member in members]
        said = Answer(Ensemble(members), SCHEMA).eval()(x)
    np.testing.assert_allclose(said["single"], (each[0]["single"] + each[1]["single"]) / 2.0, atol=1e-5)
    np.testing.assert_allclose(said["probability"].sum(1), 1.0, rtol=1e-5)
    assert (said["spread"][..., 0] >= torch.minimum(each[0]["spread"], each[1]["spread"])[..., 0] - 1e-5).all()
    assert set(said) == {"probability", "position", "spread", "single"}
    assert sum(weight.numel() for weight in Forecaster(FeatureSchema(), ModelParameters()).parameters()) <= 1_000_000


def test_who_has_no_neighbours_and_no_lane_is_answered_for():
    x = {name: torch.zeros(1, *shape) for name, shape in SCHEMA.shapes.items()}
    x["path_valid"][:, 0] = x["past_valid"][:, -1] = 1.0
    x["path"][:, :, PATH.index("spacing")] = 1.0
    x["path_point"][:, 0, :, 0], x["path_point"][:, 0, :, 2] = torch.arange(8.0), 1.0
    with torch.no_grad():
        said = Answer(Ensemble([Forecaster(SCHEMA, SMALL)]), SCHEMA).eval()(x)
    assert all(torch.isfinite(values).all() for values in said.values())
