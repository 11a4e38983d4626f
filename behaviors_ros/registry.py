"""Plugins by name: a predictor, generator, gate, scorer or controller is one class registered under one name.

A plugin module is found by importing it. Ours are imported by the `interface` module of their room; other packages'
are named in the parameter `plugin_modules: ["my_package.my_scorer"]` and imported by `load_modules`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.parameters import Parameters, validated

KINDS = ("predictor", "generator", "gate", "scorer", "controller")

_plugins: dict[str, dict[str, type[Any]]] = {kind: {} for kind in KINDS}
T = TypeVar("T", bound=type[Any])


def register(kind: str, name: str) -> Callable[[T], T]:
    """Class decorator: make the class known as plugin `name` of `kind`.

    The class has a class attribute `parameters` (a subclass of `Parameters`) and is constructed as
    `cls(parameters, vehicle)`. Registering a taken name raises `BehaviorsError`.
    """
    if kind not in _plugins:
        raise BehaviorsError(f"plugin kind '{kind}' is unknown; known kinds: {', '.join(KINDS)}")

    def add(cls: T) -> T:
        known = _plugins[kind].get(name)
        if known is not None and known.__qualname__ != cls.__qualname__:
            raise BehaviorsError(
                f"{kind} '{name}' is already {known.__module__}.{known.__qualname__}; choose another name"
            )
        if not issubclass(getattr(cls, "parameters", object), Parameters):
            raise BehaviorsError(f"{kind} '{name}': {cls.__qualname__}.parameters must be a subclass of Parameters")
        cls.name = name
        _plugins[kind][name] = cls
        return cls

    return add


def names(kind: str) -> tuple[str, ...]:
    """Known plugin names of `kind`, sorted."""
    return tuple(sorted(_plugins[kind]))


def get(kind: str, name: str) -> type[Any]:
    """The class registered as `name`; an unknown name raises `BehaviorsError` that lists the known ones."""
    if name not in _plugins[kind]:
        raise BehaviorsError(f"{kind} '{name}' is unknown; known: {', '.join(names(kind)) or 'none'}")
    return _plugins[kind][name]


def create(kind: str, name: str, values: Mapping[str, Any], vehicle: Parameters) -> Any:
    """Construct plugin `name` from a mapping of parameter values (missing ones take their default)."""
    cls: Any = get(kind, name)
    return cls(validated(cls.parameters, values, f"{kind} {name}"), vehicle)


def load_modules(modules: Iterable[str]) -> None:
    """Import other packages' plugin modules; their import errors propagate."""
    for module in modules:
        importlib.import_module(module)
