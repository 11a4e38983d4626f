"""Puts the data made by hand on the path of this room's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
