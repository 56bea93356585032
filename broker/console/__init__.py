"""The web console: a live board for staff, a visit's page, log-in. Server-rendered; htmx and server-sent events.

Every text stands in `words`, what may be shown of a person is decided in `present`, and a page never holds more.
"""
