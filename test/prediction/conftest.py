"""Makes the scenes of this room importable as `prediction_scenes`, wherever pytest is started."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
