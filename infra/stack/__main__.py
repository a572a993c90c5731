"""`python -m stack`, in .local/venv."""

import signal
import sys

from .commands import run

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
# A stop from outside unwinds, so that what was started is stopped.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    sys.exit(run(sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(130)
