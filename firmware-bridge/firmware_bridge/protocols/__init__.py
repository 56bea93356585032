"""One file a wire protocol, sans-IO: bytes in, messages out; no ports, no clocks, no threads.

Both directions are written here, because the simulators speak the other end of the same code. Whatever comes from a
peer is bounded, and damage is an event to count, never an exception.
"""
