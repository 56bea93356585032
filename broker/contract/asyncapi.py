"""The AsyncAPI 3 document of what travels over MQTT, generated from the table of topics and the types themselves.

So it can't say anything else than the programs do. `broker asyncapi` prints it; `docs/asyncapi.json` is the same,
committed, and a test holds the two together.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from broker.contract import acknowledgement, asking, event, facts, message, personal, sitedata, state
from broker.contract.topics import QOS, ROOT, TOPICS, Topic
from broker.contract.version import __version__

PAYLOADS: dict[str, type[msgspec.Struct]] = {
    "Message": message.Message,
    "Acknowledgement": acknowledgement.Acknowledgement,
    "StationState": state.StationState,
    "DeviceState": state.DeviceState,
    "SiteDocument": sitedata.SiteDocument,
    "HostAsk": asking.HostAsk,
    "TimeAsk": asking.TimeAsk,
    "AskReceived": asking.AskReceived,
    "HostDecision": asking.HostDecision,
    "TimeAnswer": asking.TimeAnswer,
    "CallTaken": asking.CallTaken,
    "VisitRecall": asking.VisitRecall,
}
"""The types named in the table of topics."""

_MSGPACK = "application/msgpack"
_JSON = "application/json"
_WITHIN: tuple[type[msgspec.Struct], ...] = (
    event.Event,
    *facts.FACTS.values(),
    *sitedata.KINDS.values(),
    *personal.CLASSES.values(),
)
"""Types that travel inside others as bytes or text: bodies of events and documents, facts, personal classes."""


def document() -> dict[str, Any]:
    """The whole document, as values for a JSON encoder."""
    _, schemas = msgspec.json.schema_components(
        [*PAYLOADS.values(), *_WITHIN], ref_template="#/components/schemas/{name}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Frontdesk: stations and the service centre",
            "version": __version__,
            "description": (
                "Everything is QoS 1; ids, deadlines and correlation stand in the payload. An event leaves a station's "
                "outbox only on the centre's acknowledgement. A message's items hold the body of an Event as JSON bytes, "
                "encoded once; its `data` is the fact that `type` and `v` name (see x-facts)."
            ),
        },
        "defaultContentType": _JSON,
        "channels": {_name(topic): _channel(topic) for topic in TOPICS},
        "operations": {f"{_action(topic)}_{_name(topic)}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {name: _message(name) for name in PAYLOADS},
            "schemas": dict(sorted(schemas.items())),
        },
        "x-facts": {
            f"{kind}/{version}": {"$ref": f"#/components/schemas/{fact.__name__}"}
            for (kind, version), fact in facts.FACTS.items()
        },
        "x-site-documents": {
            kind: {"$ref": f"#/components/schemas/{body.__name__}"} for kind, body in sitedata.KINDS.items()
        },
        "x-personal-classes": {
            name: {"$ref": f"#/components/schemas/{kind.__name__}"} for name, kind in personal.CLASSES.items()
        },
    }


def _name(topic: Topic) -> str:
    """`site/policy` → `site_policy`, `event/{station}` → `event`."""
    return "_".join(part for part in topic.pattern.split("/") if not part.startswith("{"))


def _action(topic: Topic) -> str:
    """Said from the centre's side, which this document describes."""
    return "send" if topic.writer == "centre" else "receive"


def _channel(topic: Topic) -> dict[str, Any]:
    pattern = {"site": "The site's name.", "station": "The station's name.", "device": "The device's name."}
    address = f"{ROOT}/{{site}}/{topic.pattern}"
    return {
        "address": address,
        "description": topic.summary,
        "parameters": {name: {"description": pattern[name]} for name in re.findall(r"\{(\w+)\}", address)},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in topic.payload},
        "x-writer": topic.writer,
        "x-readers": topic.readers,
    }


def _operation(topic: Topic) -> dict[str, Any]:
    name = _name(topic)
    return {
        "action": _action(topic),
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": topic.summary,
        "messages": [{"$ref": f"#/channels/{name}/messages/{payload}"} for payload in topic.payload],
        "bindings": {"mqtt": {"qos": QOS, "retain": topic.retained}},
    }


def _message(name: str) -> dict[str, Any]:
    kind = PAYLOADS[name]
    return {
        "name": name,
        "summary": (kind.__doc__ or "").strip().splitlines()[0],
        "contentType": _MSGPACK if kind is message.Message else _JSON,
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }
