import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from behaviors_ros.errors import InputError  # noqa: E402
from behaviors_ros.learning import crowd_model, crowd_training  # noqa: E402
from behaviors_ros.learning.crowd_model import CrowdLoss, CrowdNetwork, crowd_loss  # noqa: E402
from behaviors_ros.learning.crowd_training import CrowdTraining, Views, hypotheses, trained  # noqa: E402
from behaviors_ros.learning.crowd_windows import Cutting, Framed  # noqa: E402
from behaviors_ros.learning.leave_one_out import LeaveOneOut, least, leave_one_out, means  # noqa: E402

CUTTING = Cutting()
SMALL = CrowdTraining(
    steps=60, batch=64, learning_rate=5e-3, size=crowd_model.CrowdParameters(hidden=16, neighbour=8, hypotheses=4)
)


def turners(count, seed=0):
    """People who have walked straight on and turn left or right, by the side on which another one walks."""
    generator = np.random.default_rng(seed)
    side, speed = generator.choice([-1.0, 1.0], count), generator.uniform(0.3, 0.6, count)
    past, ahead = np.arange(-7.0, 1.0), np.arange(1.0, 13.0)
    straight = np.stack([speed[:, None] * past, 0.0 * speed[:, None] * past], 2)
    turn = np.stack([speed[:, None] * ahead, 0.1 * side[:, None] * speed[:, None] * ahead**2 / 2.0], 2)
    others = np.full((count, 8, 8, 2), np.nan)
    others[:, 0] = straight + np.stack([np.zeros(count), -side], 1)[:, None]
    return Framed(*(array.astype(np.float32) for array in (straight, turn, others)))


def test_the_loss_by_hand():
    # Two hypotheses, two steps, truth at rest. The first is 1 and 3 m off, the second 2 and 2 m: least mean 2 m (both),
    # least final 2 m (the second). Means of all: (2 + 2) / 2 = 2 and (3 + 2) / 2 = 2.5.
    answer = torch.tensor([[[[1.0, 0.0], [3.0, 0.0]], [[0.0, 2.0], [0.0, 2.0]]]])
    truth = torch.zeros(1, 2, 2)
    assert crowd_loss(answer, truth, CrowdLoss(others=0.0)).item() == pytest.approx(4.0)
    assert crowd_loss(answer, truth, CrowdLoss(others=0.5)).item() == pytest.approx(0.5 * 4.0 + 0.5 * 4.5)
    assert least(answer.numpy(), truth.numpy()) == pytest.approx((2.0, 2.0))


def test_neighbours_have_no_order_and_may_be_missing():
    torch.manual_seed(0)
    network = CrowdNetwork(CUTTING, SMALL.size).eval()
    past, others = torch.randn(3, 8, 2), torch.randn(3, 8, 8, 2)
    others[:, 2:5, :4] = math.nan
    others[:, 6:] = math.nan
    answer = network(past, others)
    assert torch.allclose(network(past, others[:, torch.randperm(8)]), answer, atol=1e-5)
    assert torch.isfinite(network(past, torch.full_like(others, math.nan))).all()


def test_variation_keeps_now_and_is_seeded():
    data = turners(200)
    arrays = tuple(torch.from_numpy(array) for array in (data.past, data.future, data.others))
    how = crowd_training.Augmentation(turn_rad=0.0)
    first, second = (crowd_training.varied(arrays, how, torch.Generator().manual_seed(3)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))
    past, future, others = first
    assert torch.equal(past[:, -1], torch.zeros(200, 2))
    # Mirrored and scaled alike: the one beside keeps its side of the turn.
    beside = others[:, 0, -1, 1]
    there = torch.isfinite(beside)
    assert (torch.sign(beside)[there] == -torch.sign(future[:, -1, 1])[there]).all()
    factor = future[:, -1, 0] / arrays[1][:, -1, 0]
    assert 0.7 <= factor.min() < 0.8 and 1.3 < factor.max() <= 1.4
    assert 0.05 < 1.0 - there.float().mean() < 0.15


def test_variation_turns_all_of_a_window_alike():
    data = turners(50)
    arrays = tuple(torch.from_numpy(array) for array in (data.past, data.future, data.others))
    how = crowd_training.Augmentation(smallest=1.0, largest=1.0, turn_rad=0.5, noise_m=0.0, hidden=0.0)
    past, future, others = crowd_training.varied(arrays, how, torch.Generator().manual_seed(0))
    for turned, straight in ((past, arrays[0]), (future, arrays[1]), (others[:, 0], arrays[2][:, 0])):
        assert torch.allclose(turned.norm(dim=-1), straight.norm(dim=-1), atol=1e-5)
    angle = torch.atan2(-past[:, 0, 1], -past[:, 0, 0])
    assert 0.35 < angle.std() < 0.65
    walked = others[:, 0, -1] - others[:, 0, 0]
    assert torch.allclose(torch.atan2(walked[:, 1], walked[:, 0]), angle, atol=1e-4)


def test_what_neighbours_say_is_learned_and_a_seed_repeats():
    data, fresh = turners(600), turners(200, seed=1)
    networks = [trained(data, CUTTING, SMALL, seed=5) for _ in range(2)]
    for one, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(one, other)
    straight = np.arange(1.0, 13.0)[:, None] * -fresh.past[:, None, -2]
    sets = hypotheses(networks[:1], fresh.past, fresh.others, Views(turns_rad=(), scales=()))
    known = least(sets[:, 0], fresh.future)
    assert known[0] < 0.5 * least(straight[:, None], fresh.future)[0]


def test_turned_scaled_and_mirrored_views():
    torch.manual_seed(0)
    network = CrowdNetwork(CUTTING, SMALL.size).eval()
    data = turners(5)

    def alone(change):
        """The answer to a changed window, changed back."""
        shown = (torch.from_numpy(array @ change.astype(np.float32)) for array in (data.past, data.others))
        with torch.no_grad():
            return network(*shown).numpy() @ np.linalg.inv(change)

    sets = hypotheses([network], data.past, data.others, Views(turns_rad=(0.3,), scales=(0.5,), most=2))
    assert sets.shape == (5, 6, 4, 12, 2)
    # Rows turned by 0.3: (1, 0) becomes (cos 0.3, sin 0.3).
    cos, sin = np.cos(0.3), np.sin(0.3)
    turn, mirror = np.array([[cos, sin], [-sin, cos]]), np.diag([1.0, -1.0])
    for k, change in enumerate((np.eye(2), mirror, turn, turn @ mirror, 0.5 * np.eye(2), 0.5 * mirror)):
        np.testing.assert_allclose(sets[:, k], alone(change), atol=1e-4)


def crowd_folder(folder):
    """Two files of walkers in the standard form, and a split in which each is left out once."""
    folder.mkdir()
    generator = np.random.default_rng(2)
    for name in ("biwi_eth", "biwi_hotel"):
        lines = []
        for person in range(6):
            start, velocity = generator.normal(size=2) * 3.0, generator.normal(size=2) * 0.4
            lines += [f"{10 * k}\t{person}\t{x:.3f}\t{y:.3f}" for k in range(24) for x, y in [start + k * velocity]]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    folds = {
        own: {"train": [f"biwi_{other}.txt"], "val": [], "test": [f"biwi_{own}.txt"]}
        for own, other in (("eth", "hotel"), ("hotel", "eth"))
    }
    (folder / "splits.json").write_text(json.dumps({"splits": folds}))
    return folder


def test_leave_one_out_goes_on_where_it_was(tmp_path):
    data, out = crowd_folder(tmp_path / "data"), tmp_path / "out"
    settings = LeaveOneOut(
        scenes=("eth", "hotel"), seeds=1, members=2, training=SMALL.model_copy(update={"steps": 3}),
    )  # fmt: skip
    said: list[str] = []
    rows = leave_one_out(settings, data, out, progress=said.append)
    # Six people over 24 frames: 5 windows each.
    assert [(row["scene"], row["windows"]) for row in rows] == [("eth", 30), ("hotel", 30)]
    assert sum("network" in text for text in said) == 4
    said.clear()
    (out / "eth" / "seed0.json").unlink()
    (out / "eth" / "seed0-1.pt").unlink()
    assert leave_one_out(settings, data, out, progress=said.append) == rows
    assert said == ["eth, seed 0: network 2 of 2", "eth, seed 0: test"]
    with pytest.raises(InputError, match="another configuration"):
        leave_one_out(settings.model_copy(update={"members": 3}), data, out)


def test_means_are_over_scenes_of_a_seed_then_over_seeds():
    # Scene means: a (1 + 3) / 2, b (5 + 5) / 2. Seeds: (1 + 5) / 2 = 3 and (3 + 5) / 2 = 4: mean 3.5, deviation 0.5.
    rows = [
        {"scene": scene, "seed": seed, "windows": 2, **dict.fromkeys(
            ("minade", "minfde", "network_minade", "network_minfde"), value)}
        for scene, seed, value in (("a", 0, 1.0), ("b", 0, 5.0), ("a", 1, 3.0), ("b", 1, 5.0))
    ]  # fmt: skip
    table = {row["scene"]: row for row in means(rows)}
    assert (table["a"]["minade"], table["b"]["minade"], table["mean"]["minade"]) == (2.0, 5.0, 3.5)
    assert (table["a"]["minade_sd"], table["mean"]["minade_sd"], table["mean"]["windows"]) == (1.0, 0.5, 4)
