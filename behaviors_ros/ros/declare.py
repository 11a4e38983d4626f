"""ROS parameters from the parameter classes: declaration with range and meaning, reading back, validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from behaviors_ros import registry
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.parameters import Parameters, flat, limits, nested, validated

P = TypeVar("P", bound=Parameters)


def declared(node: Node, model: type[P]) -> P:
    """Declare every parameter of `model` on the node and return the validated values."""
    return validated(model, nested(_values(node, model, "")), f"parameters of {node.get_name()}")


def plugin_values(node: Node, kind: str, name: str) -> dict[str, Any]:
    """Declare the parameters of one plugin under its name and return their values."""
    model = registry.get(kind, name).parameters
    return nested({key.removeprefix(f"{name}."): v for key, v in _values(node, model, f"{name}.").items()})


def plugin(node: Node, kind: str, name: str, vehicle: Parameters) -> Any:
    """Construct one plugin from the node's parameters."""
    return registry.create(kind, name, plugin_values(node, kind, name), vehicle)


def _values(node: Node, model: type[Parameters], prefix: str) -> dict[str, Any]:
    values = {}
    for name, field in flat(model, prefix):
        if not node.has_parameter(name):
            try:
                node.declare_parameter(name, ros_value(name, field), descriptor(field))
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                remedy = f"its default is {ros_value(name, field)!r}"
                raise InputError(f"parameters of {node.get_name()}", name, str(error), remedy) from None
        values[name] = core_value(node.get_parameter(name).value)
    return values


def ros_value(name: str, field: FieldInfo) -> Any:
    """Default of a parameter as ROS takes it. ROS cannot type an empty list: an empty list of strings is `[""]`."""
    default = field.get_default(call_default_factory=True)
    if isinstance(default, (tuple, list)):
        strings = str in get_args(field.annotation)
        if not default and not strings:
            raise BehaviorsError(f"parameter {name}: an empty list of numbers cannot be a ROS default; give it entries")
        return list(default) or [""]
    if get_origin(field.annotation) is None and field.annotation is float:
        return float(default)
    if not isinstance(default, (bool, int, float, str)):
        raise BehaviorsError(f"parameter {name}: ROS has no type for {default!r}; use bool, int, float, str or a list")
    return default


def core_value(found: Any) -> Any:
    """A ROS value as the parameter classes take it: lists as tuples, the empty string of an empty list dropped."""
    if isinstance(found, (str, bool, int, float, Mapping)) or found is None:
        return found
    return tuple(entry for entry in found if entry != "")


def descriptor(field: FieldInfo) -> ParameterDescriptor:
    """Meaning and range of a parameter for ROS tools."""
    found = ParameterDescriptor(description=field.description or "")
    low, high = limits(field)
    # A whole number is a good value of a float parameter; pydantic holds both to type and range.
    found.dynamic_typing = field.annotation is float
    if field.annotation is float and (math.isfinite(low) or math.isfinite(high)):
        found.floating_point_range = [FloatingPointRange(from_value=low, to_value=high, step=0.0)]
    elif field.annotation is int and (math.isfinite(low) or math.isfinite(high)):
        whole = (int(max(low, -(2.0**62))), int(min(high, 2.0**62)))
        found.integer_range = [IntegerRange(from_value=whole[0], to_value=whole[1], step=0)]
    return found
