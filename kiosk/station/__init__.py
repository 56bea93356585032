"""What every terminal has: its store and log, the uplink to the centre, cached site data, a clock, settings.

Nothing here draws. One thread writes what a visitor is told (`worker`), one talks to the broker (`uplink`); a window's
thread only hands work over and gets results back.
"""
