"""Parameters, declared once. ROS declarations, YAML defaults, validation and docs/parameters.md derive from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from behaviors_ros.errors import InputError


class Parameters(BaseModel):
    """A frozen set of named values with range, unit (the name's suffix) and meaning (the description)."""

    __slots__ = ("_hash",)
    _hash: ClassVar[int]  # in the slot; a private attribute of pydantic would count when two are compared
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __hash__(self) -> int:
        """Worked out once: results are cached by the parameters they were made with, several times in each cycle."""
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash((type(self), tuple(self.__dict__.values()))))
            return self._hash

    def __eq__(self, other: object) -> bool:
        """Of the same kind with the same values."""
        return self is other or (type(self) is type(other) and self.__dict__ == other.__dict__)


def value(default: Any, meaning: str, *, low: int | float | None = None, high: int | float | None = None) -> Any:
    """A parameter: its default, what it means, and its inclusive range."""
    return Field(default=default, description=meaning, ge=low, le=high)


P = TypeVar("P", bound=Parameters)


def validated(model: type[P], values: Mapping[Any, Any], source: str) -> P:
    """Build `model` from `values`; a wrong one raises `InputError` naming the source, the field and what is right."""
    odd = next((name for name in values if not isinstance(name, str)), None)
    if odd is not None:
        raise InputError(source, repr(odd), "is no name of a parameter", f"known: {', '.join(model.model_fields)}")
    try:
        return model(**{name: _at_its_place(model, name, leaf) for name, leaf in values.items()})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or model.__name__
        known = ", ".join(model.model_fields)
        remedy = f"known: {known}" if first["type"] == "extra_forbidden" else f"given {first.get('input')!r}"
        raise InputError(source, field, first["msg"], remedy) from None


def _at_its_place(model: type[Parameters], name: str, leaf: Any) -> Any:
    """A given value; a part of nested parameters is completed with the values that the nesting model gives them."""
    field = model.model_fields.get(name)
    own = field.get_default(call_default_factory=True) if field is not None else None
    return merged(own.model_dump(), leaf) if isinstance(own, Parameters) and isinstance(leaf, Mapping) else leaf


def flat(
    model: type[Parameters], prefix: str = "", values: Parameters | None = None
) -> Iterator[tuple[str, FieldInfo]]:
    """Every leaf parameter as (dotted name, field), nested models entered, in order of declaration.

    A field's default is the one that holds at its place: a model may nest another with values of its own.
    """
    values = values or model()
    for name, field in model.model_fields.items():
        kind, own = field.annotation, getattr(values, name)
        if isinstance(kind, type) and issubclass(kind, Parameters):
            yield from flat(kind, f"{prefix}{name}.", own)
        else:
            here = copy(field)
            here.default = own
            yield f"{prefix}{name}", here


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the leaves of `over` in place of its own."""
    result = dict(base)
    for key, leaf in over.items():
        both = isinstance(leaf, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], leaf) if both else leaf
    return result


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names to a tree: {'a.b': 1} -> {'a': {'b': 1}}."""
    tree: dict[str, Any] = {}
    for name, leaf in values.items():
        *branches, last = name.split(".")
        node = tree
        for branch in branches:
            node = node.setdefault(branch, {})
        node[last] = leaf
    return tree


def limits(field: FieldInfo) -> tuple[float, float]:
    """Inclusive range of a parameter; an open side is infinite."""
    low, high = -math.inf, math.inf
    for rule in field.metadata:
        low = float(getattr(rule, "ge", low))
        high = float(getattr(rule, "le", high))
    return low, high


def yaml_tree(model: Parameters) -> dict[str, Any]:
    """The values of a set of parameters as a tree of what YAML knows: mappings, lists, numbers, strings."""
    return model.model_dump(mode="json")


def markdown(models: Mapping[str, type[Parameters]]) -> str:
    """One table a model, in the mapping's order: name, default, range, meaning. Headings are the mapping's keys."""
    sections = []
    for heading, model in models.items():
        rows = [_row(name, field) for name, field in flat(model)]
        head = ["| parameter | default | range | meaning |", "|---|---|---|---|"] if rows else ["No parameters."]
        about = " ".join((model.__doc__ or "").split())
        sections.append("\n".join([f"## {heading}", "", about, "", *head, *rows, ""]))
    return "\n".join(sections)


def _row(name: str, field: FieldInfo) -> str:
    """One parameter as a row of a table."""
    low, high = limits(field)
    spread = "" if math.isinf(low) and math.isinf(high) else f"{low:g} to {high:g}"
    default = field.get_default(call_default_factory=True)
    shown = ", ".join(map(str, default)) if isinstance(default, (tuple, list)) else str(default)
    return f"| `{name}` | {shown} | {spread} | {field.description or ''} |"


class Vehicle(Parameters):
    """The vehicle: one model shared by planning, control and simulation. Defaults are a mid-size car."""

    wheel_base_m: float = value(2.7, "distance between the axles", low=0.5, high=12.0)
    length_m: float = value(4.5, "overall length of the box", low=0.5, high=25.0)
    width_m: float = value(1.85, "overall width of the box, mirrors included", low=0.3, high=4.0)
    rear_overhang_m: float = value(0.9, "rear axle centre (base_link) to the rear end of the box", low=0.0, high=8.0)
    steering_max_rad: float = value(0.6, "largest front wheel angle", low=0.05, high=1.5)
    steering_rate_max_radps: float = value(0.6, "largest rate of the front wheel angle", low=0.05, high=5.0)
    speed_max_mps: float = value(22.0, "largest speed the stack may ask for", low=0.5, high=70.0)
    acceleration_max_mps2: float = value(2.4, "largest forward acceleration", low=0.1, high=12.0)
    deceleration_max_mps2: float = value(8.0, "largest braking the road and brakes give", low=0.5, high=12.0)
    lateral_acceleration_max_mps2: float = value(
        4.0, "largest lateral acceleration that is asked for", low=0.5, high=12.0
    )
    jerk_max_mps3: float = value(10.0, "largest longitudinal jerk of a trajectory handed on", low=0.5, high=100.0)
    actuator_delay_s: float = value(0.1, "pure delay between a command and the actuator", low=0.0, high=1.0)
    steering_lag_s: float = value(0.1, "first-order time constant of the steering", low=0.0, high=2.0)
    acceleration_lag_s: float = value(0.2, "first-order time constant of the longitudinal drive", low=0.0, high=2.0)

    tracking_error_m: float = value(
        0.15,
        "lateral error of the tracking controller, 95 %: plans keep this margin at least",
        low=0.0,
        high=1.0,
    )

    @property
    def centre_offset_m(self) -> float:
        """Distance from the rear axle centre forward to the centre of the box, in m."""
        return 0.5 * self.length_m - self.rear_overhang_m

    @property
    def curvature_max_1pm(self) -> float:
        """Largest curvature of the rear axle's path, tan(steering_max) / wheel_base, in 1/m."""
        return math.tan(self.steering_max_rad) / self.wheel_base_m
