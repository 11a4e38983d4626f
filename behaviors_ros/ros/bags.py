"""Bags (rosbag2, MCAP) of our topics, written and read without a ROS graph."""

from __future__ import annotations

import struct
import sys
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from rclpy.serialization import deserialize_message, serialize_message
from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import Reader, ReaderError, StoragePlugin, Writer, WriterError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from behaviors_ros.errors import InputError
from behaviors_ros.yaml_files import read_mapping

_LATCHED = Qos(
    QosHistory.KEEP_LAST, 1, QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL, QosTime(2147483647, 4294967295),
    QosTime(2147483647, 4294967295), QosLiveliness.AUTOMATIC, QosTime(2147483647, 4294967295), False,
)  # fmt: skip


# What a damaged file makes the readers raise; a message that cannot be read is a RuntimeError of rclpy.
_DATABASES = tuple(import_module(name).Error for name in ("apsw", "sqlite3") if find_spec(name) is not None)
_DAMAGE = (
    ReaderError, EOFError, OverflowError, MemoryError, RuntimeError, TypeError, ValueError, struct.error, *_DATABASES,
)  # fmt: skip


def type_name(message_type: Any) -> str:
    """'package/msg/Name' of a message class."""
    return f"{message_type.__module__.split('.')[0]}/msg/{message_type.__name__}"


def _message_folder() -> Path:
    """Folder of our .msg files: the installed one, or the checkout's."""
    for prefix in (Path(sys.prefix) / "share" / "behaviors_ros", Path(__file__).resolve().parents[2]):
        if (prefix / "msg").is_dir():
            return prefix / "msg"
    import behaviors_ros.msg  # a colcon install: share/ lies beside lib/ of the same prefix

    for parent in Path(behaviors_ros.msg.__file__).parents:
        if (parent / "share" / "behaviors_ros" / "msg").is_dir():
            return parent / "share" / "behaviors_ros" / "msg"
    raise InputError("behaviors_ros", "share/behaviors_ros/msg", "not found", "install the package again")


def typestore() -> Typestore:
    """Definitions of the standard messages and of ours, for the bag's header."""
    store = get_typestore(Stores.ROS2_KILTED)
    for path in sorted(_message_folder().glob("*.msg")):
        store.register(get_types_from_msg(path.read_text(), f"behaviors_ros/msg/{path.stem}"))
    return store


class BagWriter:
    """Writes a new bag folder; an existing one raises InputError. Use as a context manager."""

    def __init__(self, path: Path, about: Mapping[str, str] | None = None) -> None:
        """Prepare to write the bag folder `path`; `about` goes into its metadata (map, licence, source)."""
        self.path = Path(path)
        require_new(self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path, "bag", error) from None
        self._store = typestore()
        self._writer = Writer(self.path, version=9, storage_plugin=StoragePlugin.MCAP)
        for key, text in (about or {}).items():
            self._writer.set_custom_data(key, text)
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> BagWriter:
        """Open the file."""
        try:
            self._writer.open()
        except (OSError, WriterError) as error:
            raise _unwritable(self.path, "bag", error) from None
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file; what was written stays readable."""
        try:
            self._writer.close()
        except OSError as cause:
            if error is None:
                raise _unwritable(self.path, "bag", cause) from None

    def add_topic(self, topic: str, message_type: Any, latched: bool = False) -> None:
        """Declare a topic before its first message."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic,
                type_name(message_type),
                typestore=self._store,
                offered_qos_profiles=[_LATCHED] if latched else [],
            )

    def write(self, topic: str, message: Any, stamp_ns: int, latched: bool = False) -> None:
        """Append one message."""
        self.add_topic(topic, type(message), latched)
        self.write_raw(topic, serialize_message(message), stamp_ns)

    def write_raw(self, topic: str, data: bytes, stamp_ns: int) -> None:
        """Append one serialised message of a declared topic. A full disk raises InputError; the bag so far stays."""
        try:
            self._writer.write(self._connections[topic], stamp_ns, data)
        except (OSError, WriterError) as error:
            raise _unwritable(self.path, topic, error) from None


def require_new(path: Path) -> None:
    """Raise InputError when there is something at `path` already."""
    if path.exists():
        raise InputError(path, "bag", "exists already", "choose another name or remove it")


def _unwritable(path: Path, field: str, error: Exception) -> InputError:
    return InputError(path, field, f"cannot be written ({_line(error)})", "give a place with room that can be written")


def _line(error: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _opened(path: Path) -> Reader:
    """The bag, open; raises InputError when that cannot be."""
    try:
        reader = Reader(Path(path))
        reader.open()
    except (OSError, KeyError, *_DAMAGE) as error:
        raise InputError(path, "bag", f"cannot be opened ({_line(error)})", "give a rosbag2 folder") from None
    return reader


def about(path: Path) -> dict[str, str]:
    """What the bag's metadata says of it: map, licence, source, where given."""
    _opened(path).close()
    metadata = read_mapping(Path(path) / "metadata.yaml", "give a rosbag2 folder").get("rosbag2_bagfile_information")
    told = metadata.get("custom_data") or {} if isinstance(metadata, dict) else None
    if not isinstance(told, dict):
        raise InputError(Path(path) / "metadata.yaml", "custom_data", "is no mapping", "record it again")
    return {str(key): str(text) for key, text in told.items()}


def _wanted(
    reader: Reader, path: Path, types: Mapping[str, Any], topics: Collection[str] | None = None
) -> list[Connection]:
    """The bag's connections of the topics; one of another type than `types` says raises InputError."""
    wanted = [c for c in reader.connections if c.topic in types and (topics is None or c.topic in topics)]
    for connection in wanted:
        expected = type_name(types[connection.topic])
        if connection.msgtype != expected:
            raise InputError(path, connection.topic, f"is {connection.msgtype}", f"record it as {expected}")
    return wanted


def count_messages(path: Path, types: Mapping[str, Any]) -> dict[str, int]:
    """How many messages of each topic of `types` the bag holds; raises InputError as `read_bag` does."""
    reader = _opened(path)
    try:
        found = _wanted(reader, path, types)
        return {topic: sum(c.msgcount for c in found if c.topic == topic) for topic in types}
    except _DAMAGE as error:
        raise InputError(path, "bag", f"is damaged ({_line(error)})", "record it again") from None
    finally:
        reader.close()


def read_bag(
    path: Path, types: dict[str, Any], topics: Collection[str] | None = None
) -> Iterator[tuple[str, Any, int]]:
    """(topic, message, stamp_ns) in recorded order, of the topics whose class `types` gives; others are passed over.

    A bag that is missing or damaged, or a topic recorded with another type, raises InputError.
    """
    reader = _opened(path)
    try:
        wanted = _wanted(reader, path, types, topics)
        if wanted:
            for connection, stamp_ns, data in reader.messages(connections=wanted):
                yield connection.topic, deserialize_message(bytes(data), types[connection.topic]), stamp_ns
    except _DAMAGE as error:
        raise InputError(path, "bag", f"is damaged ({_line(error)})", "record it again") from None
    finally:
        reader.close()
