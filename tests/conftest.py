"""What holds for every test: Ctrl-C reaches the programs that tests start, also where the run itself ignores it."""

from __future__ import annotations

import signal

# A run in the background of a shell inherits "ignore SIGINT", and so would every program it starts; a handler doesn't pass on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
