"""Whether a stage has been late often enough to shed work, and long enough in time to take it up again."""

from __future__ import annotations

from collections import deque

from behaviors_ros.parameters import Parameters, value


class StageBudget(Parameters):
    """The time of a stage, and when being late counts as overload."""

    budget_s: float = value(0.04, "wall time that one cycle of the stage may take", low=0.001, high=10.0)
    late_of_ten: int = value(3, "late ones of the last ten cycles that count as overload", low=1, high=10)
    shed_s: float = value(5.0, "least time for which work is shed", low=0.1, high=600.0)


class Overload:
    """Late cycles of a stage, and whether it sheds: down after `late_of_ten`, up after `shed_s` without a late one."""

    def __init__(self, budget: StageBudget) -> None:
        """In time so far."""
        self.budget, self.shedding, self.late = budget, False, 0
        self._lately: deque[bool] = deque(maxlen=10)
        self._since_s = 0.0

    def note(self, seconds: float, now_s: float) -> bool:
        """A cycle took `seconds`, at `now_s` on a steady clock; whether `shedding` has changed."""
        late = seconds > self.budget.budget_s
        self.late += late
        self._lately.append(late)
        before = self.shedding
        if sum(self._lately) >= self.budget.late_of_ten:
            self.shedding = True
        if late or not before:
            self._since_s = now_s
        elif now_s - self._since_s >= self.budget.shed_s:
            self.shedding = False
            self._lately.clear()
        return self.shedding != before
