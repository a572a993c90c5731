"""`python -m stack`, in .local/venv."""

import signal
import sys

from .commands import run

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    sys.exit(run(sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(130)
