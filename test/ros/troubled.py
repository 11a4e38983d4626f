"""Work for the supervision of the fuzz, in a module that a child process can import."""

import os
import time
from collections import Counter

from behaviors_ros.ros.fuzz.supervision import Failure


class Troubled:
    """Dies, hangs and finds a bug at certain steps."""

    def __init__(self):
        self.counts = Counter()

    def step(self, index):
        self.counts["steps"] += 1
        if index == 2:
            os.abort()
        if index == 4:
            time.sleep(60.0)
        return [Failure(index, "bug", "wrong")] if index == 5 else []
