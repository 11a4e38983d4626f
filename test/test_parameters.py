import math

import pytest

from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, Vehicle, flat, limits, markdown, nested, validated, value, yaml_tree


class Wheel(Parameters):
    """A wheel."""

    radius_m: float = value(0.3, "hub to road", low=0.1, high=1.0)


class Car(Parameters):
    """A car
    with wheels."""

    wheel: Wheel = Wheel()
    names: tuple[str, ...] = value(("a", "b"), "what it is called")
    seats: int = value(4, "places", low=1)


def test_tree_and_table():
    assert yaml_tree(Car()) == {"wheel": {"radius_m": 0.3}, "names": ["a", "b"], "seats": 4}
    assert markdown({"car": Car}) == (
        "## car\n\nA car with wheels.\n\n| parameter | default | range | meaning |\n|---|---|---|---|\n"
        "| `wheel.radius_m` | 0.3 | 0.1 to 1 | hub to road |\n| `names` | a, b |  | what it is called |\n"
        "| `seats` | 4 | 1 to inf | places |\n"
    )


def test_equal_values_are_one_key():
    """Results are cached by parameters: equal ones find what others made, and another kind never does."""

    class Seat(Parameters):
        radius_m: float = value(0.3, "the same field and value as a wheel's")

    wheel = Wheel()
    assert wheel == Wheel(radius_m=0.3) and hash(wheel) == hash(Wheel(radius_m=0.3))
    assert wheel != Wheel(radius_m=0.4) and wheel != Seat() and wheel != 0.3
    assert hash(wheel.model_copy(update={"radius_m": 0.4})) == hash(Wheel(radius_m=0.4)), "a copy has no hash yet"
    assert {Car(): "found"}[Car(wheel=Wheel())] == "found"


def test_flat_and_nested_are_inverse():
    names = [name for name, _ in flat(Car)]
    assert names == ["wheel.radius_m", "names", "seats"]
    assert nested({"wheel.radius_m": 0.4, "seats": 2}) == {"wheel": {"radius_m": 0.4}, "seats": 2}


def test_limits():
    assert [limits(field) for _, field in flat(Car)] == [(0.1, 1.0), (-math.inf, math.inf), (1.0, math.inf)]


def test_errors_name_source_field_and_remedy():
    with pytest.raises(InputError, match=r"file\.yaml: wheel\.radius_m: .*1; given 2"):
        validated(Car, {"wheel": {"radius_m": 2}}, "file.yaml")
    with pytest.raises(InputError, match="weels: .*; known: wheel, names, seats"):
        validated(Car, {"weels": 1}, "file.yaml")


def test_vehicle_geometry():
    # 4.5 / 2 - 0.9 = 1.35 m; tan(0.6) / 2.7 = 0.2534 1/m.
    assert Vehicle().centre_offset_m == pytest.approx(1.35)
    assert Vehicle().curvature_max_1pm == pytest.approx(0.25338, abs=1e-5)


class Wheels(Parameters):
    number: int = value(4, "wheels", low=1)
    radius_m: float = value(0.3, "radius", low=0.1)


class Cart(Parameters):
    wheels: Wheels = Wheels(number=2, radius_m=0.5)


def test_nested_defaults_are_those_of_the_place():
    assert {name: field.default for name, field in flat(Cart)} == {"wheels.number": 2, "wheels.radius_m": 0.5}
    # What is left out keeps the value it has at its place, not that of the nested class.
    assert validated(Cart, {"wheels": {"number": 3}}, "cart").wheels == Wheels(number=3, radius_m=0.5)
