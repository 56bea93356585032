"""A lane's logic without a window, a port or a network: scanned text in, verdict out, what was used on record.

`judge` decides and writes nothing (`kiosk verdict` uses it alone); `ledger` remembers uses; `lane` joins them: it repeats
the answer to a code that is held in front of the reader and puts every verdict on record before it is shown.
"""
