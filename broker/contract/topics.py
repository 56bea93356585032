"""The MQTT topics: the one place that knows them (event-log.md, "Topics").

`TOPICS` is the table; `Topics` makes and reads the names for one site. Access rules and the AsyncAPI document are
generated from the table. Everything is QoS 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.contract.names import is_name

ROOT = "frontdesk/v1"
QOS = 1


@dataclass(frozen=True, slots=True)
class Topic:
    """A row of the table. `pattern` is below ROOT/{site}/; `payload` names the types that may travel there."""

    pattern: str
    writer: str
    readers: str
    retained: bool
    payload: tuple[str, ...]
    summary: str


TOPICS: tuple[Topic, ...] = (
    Topic(
        "event/{station}",
        "station",
        "centre",
        False,
        ("Message",),
        "Events of a station, in order, in messages.",
    ),
    Topic(
        "ack/{station}",
        "centre",
        "station",
        True,
        ("Acknowledgement",),
        "How far the station's log is stored.",
    ),
    Topic(
        "state/{station}",
        "station",
        "centre, station",
        True,
        ("StationState",),
        "How the station is; last will: offline. It reads its own back, to notice a second one of its name.",
    ),
    Topic(
        "device/{station}/{device}", "station", "centre", True, ("DeviceState",), "How one device of it is."
    ),
    Topic("site/policy", "centre", "stations", True, ("SiteDocument",), "Rules by visit type and hour."),
    Topic(
        "site/areas",
        "centre",
        "stations",
        True,
        ("SiteDocument",),
        "The site, its buildings and waiting places.",
    ),
    Topic(
        "site/keys", "centre", "stations", True, ("SiteDocument",), "Public keys that passes are judged by."
    ),
    Topic(
        "ask/{station}",
        "station",
        "centre",
        False,
        ("HostAsk", "TimeAsk"),
        "Questions with an id; hints, not records.",
    ),
    Topic(
        "answer/{station}",
        "centre",
        "station",
        False,
        ("AskReceived", "HostDecision", "TimeAnswer", "CallTaken", "VisitRecall"),
        "Replies and decisions, by the id of the ask.",
    ),
)


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of one site's topics.

    Raises:
        ValueError: the site's name doesn't fit.
    """

    site: str

    def __post_init__(self) -> None:
        if not is_name(self.site):
            raise ValueError(f"{self.site!r} is no site name: 1–32 of a-z, 0-9 and -")

    def event(self, station: str) -> str:
        return f"{ROOT}/{self.site}/event/{station}"

    def ack(self, station: str) -> str:
        return f"{ROOT}/{self.site}/ack/{station}"

    def state(self, station: str) -> str:
        return f"{ROOT}/{self.site}/state/{station}"

    def device(self, station: str, device: str) -> str:
        return f"{ROOT}/{self.site}/device/{station}/{device}"

    def site_document(self, kind: str) -> str:
        return f"{ROOT}/{self.site}/site/{kind}"

    def ask(self, station: str) -> str:
        return f"{ROOT}/{self.site}/ask/{station}"

    def answer(self, station: str) -> str:
        return f"{ROOT}/{self.site}/answer/{station}"

    def for_centre(self) -> list[str]:
        """The filters a centre subscribes to."""
        return [self.event("+"), self.state("+"), self.device("+", "+"), self.ask("+")]

    def for_station(self, station: str) -> list[str]:
        """The filters a station subscribes to."""
        return [self.ack(station), self.site_document("+"), self.answer(station), self.state(station)]

    def parse(self, topic: str) -> tuple[str, tuple[str, ...]] | None:
        """(`event`, (`lobby-1`,)) for a topic of this site; None for any other."""
        prefix = f"{ROOT}/{self.site}/"
        if not topic.startswith(prefix):
            return None
        head, *rest = topic[len(prefix) :].split("/")
        if not rest or not all(is_name(part) for part in rest):
            return None
        return head, tuple(rest)
