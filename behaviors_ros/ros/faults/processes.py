"""What can happen to processes and to the machine: killed, frozen, restarted, starved, told other parameters."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from behaviors_ros.errors import InputError
from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.faults.case import Injection
from behaviors_ros.ros.faults.rig import Rig
from behaviors_ros.ros.graph import entry
from behaviors_ros.ros.up import parameter_file


class Happening:
    """Something that happens to a process. `folder`: where the case's files are."""

    def __init__(self, rig: Rig, what: Injection, folder: Path) -> None:
        self.rig, self.what, self.folder = rig, what, folder

    def begin(self) -> None:
        """It begins."""

    def tick(self, now_s: float) -> None:
        """Time goes on, s of simulated time."""

    def end(self) -> None:
        """It ends."""


class Kill(Happening):
    """The process is killed and stays so."""

    def begin(self) -> None:
        """SIGKILL."""
        self.rig.kill(self.what.process)


class Restart(Happening):
    """The process is killed and started again after `for_s`, perhaps with other `parameters`."""

    def begin(self) -> None:
        """SIGKILL."""
        self.rig.kill(self.what.process)

    def end(self) -> None:
        """Start it again."""
        over = placed(self.what.values.get("parameters", {}), self.folder)
        self.rig.start(self.what.process, over)
        if self.what.values.get("may_end"):
            self.rig.told.add(self.what.process)


class Freeze(Happening):
    """The process stands still for `for_s`, then goes on as if nothing had been."""

    def begin(self) -> None:
        """SIGSTOP."""
        self.rig.graph.processes[self.what.process].send_signal(signal.SIGSTOP)

    def end(self) -> None:
        """SIGCONT."""
        self.rig.graph.processes[self.what.process].send_signal(signal.SIGCONT)


class Pause(Happening):
    """The process stands still for `wall_s` of wall time: of the simulator, all time does."""

    def begin(self) -> None:
        """SIGSTOP, and after a while SIGCONT."""
        process = self.rig.graph.processes[self.what.process]
        process.send_signal(signal.SIGSTOP)
        self.rig.spin(lambda: False, float(self.what.values["wall_s"]))
        process.send_signal(signal.SIGCONT)


class Pulse(Happening):
    """The process runs `on_s` and stands still `off_s` of simulated time, in turn: it gets too little of the CPU."""

    since_s, stopped = 0.0, False

    def tick(self, now_s: float) -> None:
        """Stop or go on."""
        values = self.what.values
        if now_s - self.since_s >= float(values["off_s"] if self.stopped else values["on_s"]):
            self.since_s, self.stopped = now_s, not self.stopped
            process = self.rig.graph.processes[self.what.process]
            process.send_signal(signal.SIGSTOP if self.stopped else signal.SIGCONT)

    def end(self) -> None:
        """SIGCONT."""
        self.rig.graph.processes[self.what.process].send_signal(signal.SIGCONT)


class Starve(Happening):
    """So many `busy` processes want the CPU."""

    def begin(self) -> None:
        """Start them."""
        work = [sys.executable, "-c", "while True: pass"]
        self.busy = [subprocess.Popen(work) for _ in range(int(self.what.values.get("busy", 4)))]

    def end(self) -> None:
        """End them."""
        for process in self.busy:
            process.kill()
            process.wait()


class Parameter(Happening):
    """A parameter is changed at run time; `parameter` and `value`. The answer is among the words."""

    def begin(self) -> None:
        """Ask for it."""
        key, wanted = str(self.what.values["parameter"]), self.what.values["value"]
        done, reason = self.rig.set_parameter(self.what.process, key, wanted)
        self.rig.observer.tell(f"parameter {'changed' if done else 'refused'}: {key}: {reason}")


class Command(Happening):
    """Another process runs beside: a `command` of `behaviors`, its files at most `file_bytes` large."""

    name = "command"
    _began: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What is run."""
        words = [str(word).replace("{folder}", str(self.folder)) for word in self.what.values["command"]]
        return [sys.executable, "-m", "behaviors_ros.ros.cli", *words]

    def begin(self) -> None:
        """Start it."""
        most = int(self.what.values.get("file_bytes", 0))
        self.output = self.folder / f"{self.name}.log"
        limit: Callable[[], None] | None = (lambda: _limit_files(most)) if most else None
        with self.output.open("wb") as output:
            self._began = subprocess.Popen(
                self.command(), env=environment(), stdout=output, stderr=subprocess.STDOUT, preexec_fn=limit
            )

    def end(self) -> None:
        """End it, if it has not; what it said and its exit code are among the words."""
        process = self._began
        if process is None:
            return
        self._began = None
        if process.poll() is None and self.what.values.get("await_s"):
            self.rig.spin(lambda: process.poll() is not None, float(self.what.values["await_s"]))
        if process.poll() is None:
            process.terminate()
            self.rig.spin(lambda: process.poll() is not None, 5.0)  # waiting here would hold up all detours
        process.kill()
        said = self.output.read_text(errors="replace")
        self.rig.observer.tell(f"{self.name} ended with code {process.wait()}: {said}")
        self.heard(said)

    def heard(self, said: str) -> None:
        """Judge what it said: nothing but that there is no traceback."""
        if "Traceback" in said:
            self.rig.observer.record.errors.append(f"{self.name} left a traceback")


class Start(Command):
    """A node's process is started alone, in a namespace of its own, with `parameters`: it must refuse them."""

    name = "start"

    def command(self) -> list[str]:
        """The node."""
        name = self.what.process
        tree = placed(self.what.values.get("parameters", {}), self.folder)
        file = self.folder / "start.yaml"
        file.write_text(parameter_file({"/**": tree}))
        return [sys.executable, "-m", entry(name).module, "--ros-args", "--params-file", str(file),
                "-r", "__ns:=/apart"]  # fmt: skip

    def begin(self) -> None:
        """Start it and wait for its end, `await_s` at most: one that takes its parameters would run for ever."""
        super().begin()
        self.end()

    def heard(self, said: str) -> None:
        """One line must say why."""
        super().heard(said)
        lines = sum("[ERROR]" in line or "[FATAL]" in line for line in said.splitlines())
        if lines != 1:
            self.rig.observer.record.errors.append(f"{lines} lines say why it ended")


def _limit_files(most: int) -> None:
    """Run in the child: a write beyond it fails as on a full disk, without the signal that would end the process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def placed(tree: Any, folder: Path) -> Any:
    """A tree of values with the folder's path for `{folder}`."""
    if isinstance(tree, Mapping):
        return {key: placed(leaf, folder) for key, leaf in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [placed(leaf, folder) for leaf in tree]
    return tree.replace("{folder}", str(folder)) if isinstance(tree, str) else tree


HAPPENINGS: dict[str, type[Happening]] = {
    "kill": Kill, "restart": Restart, "freeze": Freeze, "pause": Pause, "pulse": Pulse, "starve": Starve,
    "parameter": Parameter, "command": Command, "start": Start,
}  # fmt: skip


class OnTopic(Happening):
    """A fault on the way of a topic."""

    def begin(self) -> None:
        """Switch it on."""
        assert self.rig.between is not None
        self.rig.between.begin(self.what)

    def end(self) -> None:
        """Switch it off."""
        assert self.rig.between is not None
        self.rig.between.end(self.what)


def happening(rig: Rig, what: Injection, folder: Path) -> Happening:
    """The fault of an injection."""
    if what.topic:
        return OnTopic(rig, what, folder)
    if what.fault not in HAPPENINGS:
        raise InputError(
            "fault", "fault", f"'{what.fault}' is unknown for a process", f"known: {', '.join(HAPPENINGS)}"
        )
    return HAPPENINGS[what.fault](rig, what, folder)
