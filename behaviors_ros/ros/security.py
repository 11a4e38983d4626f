"""The access policy of the graph, in the form of SROS2: each node may use its own topics and services, nothing else.

`ros2 security generate_artifacts` makes enclaves of it. Each node has the enclave /behaviors/NODE, and runs under it
where a keystore is named (`security` of `behaviors up` and of the launch file), with enforcement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from behaviors_ros.errors import InputError
from behaviors_ros.ros.graph import EVERY_NODE, NAMESPACE, NODES, TOPICS, Entry

# What rclpy and a lifecycle node have besides the topics of the table.
_PUBLISHES = ("/rosout", "/parameter_events", "/diagnostics")
_LISTENS = ("/clock", "/parameter_events")
_SERVICES = (
    "describe_parameters", "get_parameter_types", "get_parameters", "list_parameters", "set_parameters",
    "set_parameters_atomically", "get_type_description", "change_state", "get_state", "get_available_states",
    "get_available_transitions", "get_transition_graph",
)  # fmt: skip
_TRANSITIONS = "transition_event"
RECORDER = "recorder"


def enclave(node: str) -> str:
    """The enclave a node runs in."""
    return f"{NAMESPACE}/{node}"


def policy(
    entries: Iterable[Entry] = NODES,
    remap: Mapping[str, str] | None = None,
    spoken: Mapping[str, Sequence[Any]] | None = None,
) -> str:
    """The SROS2 policy (XML, version 0.2.0) of some nodes, and of `behaviors record`. remap: other names of topics.

    spoken: what the dialects of nodes use besides, `Rights` by node.
    """
    names = {name: _full((remap or {}).get(name, name)) for name in TOPICS}
    root = Element("policy", version="0.2.0")
    enclaves = SubElement(root, "enclaves")
    for entry in entries:
        own = f"{NAMESPACE}/{entry.name}"
        writes = [*(names[topic] for topic in (*entry.writes, *EVERY_NODE)), *_PUBLISHES, f"{own}/{_TRANSITIONS}"]
        reads = [*(names[topic] for topic in entry.reads), *_LISTENS]
        calls: list[str] = []
        for more in (spoken or {}).get(entry.name, ()):
            writes += [names.get(topic) or _full(topic) for topic in more.publish]
            reads += [_full(topic) for topic in more.subscribe]
            calls += [_full(action) for action in more.call]
        _profile(enclaves, entry.name, writes, reads, [f"{own}/{service}" for service in _SERVICES], calls)
    heard = [name for topic, name in names.items() if topic != "markers"]
    services = [f"{NAMESPACE}/{RECORDER}/{service}" for service in _SERVICES[:7]]
    _profile(enclaves, RECORDER, ["/rosout", "/parameter_events"], [*heard, "/parameter_events"], services)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _full(name: str) -> str:
    return name if name.startswith("/") else f"{NAMESPACE}/{name}"


def _profile(
    enclaves: Element,
    name: str,
    writes: Iterable[str],
    reads: Iterable[str],
    services: Iterable[str],
    calls: Iterable[str] = (),
) -> None:
    profiles = SubElement(SubElement(enclaves, "enclave", path=enclave(name)), "profiles")
    profile = SubElement(profiles, "profile", ns=NAMESPACE, node=name)
    groups = [("topics", "publish", writes), ("topics", "subscribe", reads), ("services", "reply", services)]
    for tag, right, found in [*groups, ("actions", "call", calls)] if calls else groups:
        group = SubElement(profile, tag, {right: "ALLOW"})
        for each in sorted(set(found)):
            SubElement(group, tag.removesuffix("s")).text = each


def security_environment(keystore: Path, nodes: Iterable[str]) -> dict[str, str]:
    """Environment variables under which nodes are secured, and do not start otherwise.

    Raises InputError for a keystore that lacks the enclave of one of the nodes.
    """
    for node in nodes:
        if not (keystore / "enclaves" / enclave(node).lstrip("/") / "permissions.p7s").is_file():
            remedy = "make it with `behaviors security policy` and `ros2 security generate_artifacts`"
            raise InputError(keystore, "security", f"has no enclave {enclave(node)}", remedy)
    return {
        "ROS_SECURITY_KEYSTORE": str(keystore.resolve()), "ROS_SECURITY_ENABLE": "true",
        "ROS_SECURITY_STRATEGY": "Enforce",
    }  # fmt: skip
