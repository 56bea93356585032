"""Serial links: open, lose, find again; one exchange in flight. The only place that knows pyserial."""
