"""What travels between stations and the centre, and what both must judge alike.

Everyone may import this package; it imports nothing else of ours, and no web framework, MQTT client, serial port
or window. The bytes on the wire are fixed by `event-log.md` and `pass-format.md`; a change of their meaning is a
new version number, never an edit.
"""
