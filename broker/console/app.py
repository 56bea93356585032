from __future__ import annotations

from litestar import Litestar, get


class Console:
    def __init__(self, asgi):
        self.asgi = asgi

    def on_change(self, changes):
        pass


@get("/health", sync_to_thread=False)
def health() -> str:
    return "ok"


def make_app(settings, centre, reading, ending):
    return Console(Litestar([health]))
