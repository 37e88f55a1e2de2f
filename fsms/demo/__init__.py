"""The demo school: an invented school of any size, the same for the same seed, to try, show and measure with.

Knows the tables and nothing above them: no Flask, no command line. `fsms demo` is written around `build`.
"""

from fsms.demo.loading import NotEmpty, Progress, build, clear, what_is_there
from fsms.demo.plan import Counts, Plan

__all__ = ["Counts", "NotEmpty", "Plan", "Progress", "build", "clear", "what_is_there"]
