"""From typed effects to the documents that are applied, stored and replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scrmkit.clock import to_micros
from scrmkit.domain import effects as e
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import Operation
from scrmkit.domain.profile import Score
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.engine.fields import check_fields, storable
from scrmkit.engine.frame import Author, Frame, Proposed, key_of
from scrmkit.errors import InvalidValueError
from scrmkit.persistence.codec import Codec, thawed, to_json
from scrmkit.persistence.frozen import closed
from scrmkit.plugins import LoadedPlugin, PluginSet

Document = dict[str, Any]
_ABOUT_A_CUSTOMER = frozenset(
    {e.AddTag, e.RemoveTag, e.SetAttribute, e.Remember, e.SetScore, e.RecordConsent}
    | {e.Join, e.ChangeParticipant, e.Leave}
)
_OF_AN_INSTANCE = frozenset({e.AddAlias, e.Join, e.ChangeParticipant, e.Leave})


class Documents:
    """
    Writes effects down as documents of JSON values.

    Whatever is wrong with an effect is found here, before any of its decision
    is applied: the plugin broke its contract, and its decision is lost whole.
    """

    def __init__(self, plugins: PluginSet, codec: Codec) -> None:
        self._kinds = plugins.kinds
        self._connectors = {
            loaded.name: loaded
            for loaded in plugins.plugins
            if loaded.family in ("channel", "connector")
        }
        self._codec = codec
        self._texts: dict[int, tuple[Score, str]] = {}
        self._write: dict[type, Callable[[Any, Frame, Author], Document]] = {
            e.AddTag: self._add_tag,
            e.RemoveTag: lambda x, f, a: {"type": "remove_tag", "group": x.group, "name": x.name},
            e.SetAttribute: self._set_attribute,
            e.Remember: lambda x, f, a: {"type": "remember", "value": thawed(x.value)},
            e.SetScore: self._set_score,
            e.RecordConsent: self._record_consent,
            e.StartTimer: self._start_timer,
            e.CancelTimer: lambda x, f, a: {"type": "cancel_timer", "key": x.key},
            e.OpenInstance: self._open_instance,
            e.AddAlias: lambda x, f, a: {"type": "add_alias", "kind": x.kind, "value": x.value},
            e.Join: lambda x, f, a: {"type": "join", "role": x.role, "data": thawed(x.data)},
            e.ChangeParticipant: lambda x, f, a: {
                "type": "change_participant", "role": x.role, "data": thawed(x.data)
            },
            e.Leave: lambda x, f, a: {"type": "leave", "role": x.role},
            e.Reserve: self._reserve,
            e.CommitReservation: lambda x, f, a: {
                "type": "commit", "resource": resource_name(a, x.resource), "name": x.reservation
            },
            e.ReleaseReservation: lambda x, f, a: {
                "type": "release", "resource": resource_name(a, x.resource),
                "name": x.reservation, "committed": x.committed,
            },
            e.Post: self._post,
        }  # fmt: skip

    def write(
        self, effect: Any, frame: Frame, author: Author, people: Mapping[int, int]
    ) -> Document:
        """The document of any effect but ``Propose``, ``Request`` and ``Emit``."""
        kind = type(effect)
        writer = self._write.get(kind)
        if writer is None:
            raise InvalidValueError(f"{kind.__name__} is not an effect")
        document = writer(effect, frame, author)
        check_fields(document)
        customer = getattr(effect, "customer", None)
        if customer is not None:
            document.update(_named(customer, people))
        elif frame.person is None and kind in _ABOUT_A_CUSTOMER:
            raise InvalidValueError(f"{kind.__name__} needs a customer; this touchpoint has none")
        if author.instance is None and kind in _OF_AN_INSTANCE:
            raise InvalidValueError(f"{kind.__name__} is for mechanics: there is no instance here")
        return document

    def _add_tag(self, x: e.AddTag, frame: Frame, author: Author) -> Document:
        document: Document = {
            "type": "add_tag",
            "group": x.group,
            "name": x.name,
            "source": str(x.source),
        }
        if x.expires_at is not None:
            document["expires_at"] = to_micros(x.expires_at)
        return document

    def _set_attribute(self, x: e.SetAttribute, frame: Frame, author: Author) -> Document:
        if not x.name:
            raise InvalidValueError("an attribute has a name")
        return {"type": "set_attribute", "name": f"{author.name}.{x.name}", "value": x.value}

    def _set_score(self, x: e.SetScore, frame: Frame, author: Author) -> Document:
        score = x.score
        return {
            "type": "set_score", "scorer": score.scorer, "hundredths": score.hundredths,
            "band": score.band, "segment": score.segment, "stage": score.stage,
            "at": to_micros(score.as_of), "detail": self.score_text(score),
        }  # fmt: skip

    def score_text(self, score: Score) -> str:
        """A score as JSON text; the newest are remembered, for who asks twice."""
        there = self._texts.get(id(score))
        if there is None or there[0] is not score:
            if len(self._texts) > 1000:
                self._texts.clear()
            there = self._texts[id(score)] = (score, to_json(self._codec.dump(score)))
        return there[1]

    def _record_consent(self, x: e.RecordConsent, frame: Frame, author: Author) -> Document:
        return {
            "type": "record_consent", "channel": x.channel, "purpose": str(x.purpose),
            "granted": bool(x.granted), "proof": x.proof,
        }  # fmt: skip

    def _start_timer(self, x: e.StartTimer, frame: Frame, author: Author) -> Document:
        return {"type": "start_timer", "key": x.key, "due_at": to_micros(x.due_at)}

    def _open_instance(self, x: e.OpenInstance, frame: Frame, author: Author) -> Document:
        own = author.instance
        if own is None or own.campaign != x.campaign:
            raise InvalidValueError("an instance opens others of its own campaign alone")
        if not isinstance(x.state, author.loaded.plugin.State):
            raise InvalidValueError(f"the state is a {type(x.state).__name__}")
        return {
            "type": "open_instance", "campaign": x.campaign, "key": x.key,
            "state": self._codec.dump(x.state), "campaign_version": own.campaign_version,
        }  # fmt: skip

    def _reserve(self, x: e.Reserve, frame: Frame, author: Author) -> Document:
        return {
            "type": "reserve", "resource": resource_name(author, x.resource),
            "name": x.reservation, "quantity": x.quantity, "capacity": x.capacity,
            "expires_at": None if x.expires_at is None else to_micros(x.expires_at),
        }  # fmt: skip

    def _post(self, x: e.Post, frame: Frame, author: Author) -> Document:
        return {
            "type": "post", "ledger": f"{author.name}/{x.ledger}",
            "legs": [[leg.owner, leg.amount] for leg in x.legs],
            "once": key_of(
                frame.tenant, author.name, author.campaign, instance_key(author), x.once
            ),
            "floor": x.floor,
        }  # fmt: skip

    def propose(
        self, x: e.Propose, frame: Frame, author: Author, people: Mapping[int, int]
    ) -> Proposed:
        """A message, checked against the channel that is to carry it."""
        message = x.message
        channel, operation = self._operation(message.channel, message.operation, "channel", frame)
        if not isinstance(message.content, operation.body):
            raise InvalidValueError(
                f"{message.channel}.{message.operation} takes a {operation.body.__name__}, "
                f"not a {type(message.content).__name__}"
            )
        customer, person = _whom(x.customer, frame, people)
        if person is None:
            raise InvalidValueError("a message needs a customer, and this touchpoint has none")
        document: Document = {
            "type": "propose", "key": x.once,
            "channel": message.channel, "operation": message.operation,
            "purpose": str(message.purpose), "slot": x.slot, **_named(x.customer, people),
        }  # fmt: skip
        if x.slot is not None:
            check_fields(document)
            if x.slot_closes_at is not None:
                document["slot_closes_at"] = to_micros(x.slot_closes_at)
        body = storable(self._codec.dump(message.content))
        return Proposed(
            frame, author, channel, operation, document, body, customer, person, message=message
        )

    def request(
        self, x: e.Request, frame: Frame, author: Author, people: Mapping[int, int]
    ) -> Proposed:
        """A request, checked against the connector that is to carry it out."""
        connector, operation = self._operation(x.connector, x.operation, "connector", frame)
        if connector.family == "channel" and operation.addressed:
            raise InvalidValueError(
                f"{x.connector}.{x.operation} writes to a customer: propose a message, "
                "which the contact policy looks at"
            )
        if not isinstance(x.body, operation.body):
            raise InvalidValueError(
                f"{x.connector}.{x.operation} takes a {operation.body.__name__}, "
                f"not a {type(x.body).__name__}"
            )
        customer, person = _whom(x.customer, frame, people)
        document: Document = {
            "type": "request", "key": x.once,
            "connector": x.connector, "operation": x.operation, **_named(x.customer, people),
        }  # fmt: skip
        if x.not_after is not None:
            document["not_after"] = to_micros(x.not_after)
        if x.answer_to is not None:
            ref = x.answer_to.ref
            document["reply_to"] = [ref.plugin, ref.campaign, ref.key, x.answer_to.step]
        body = storable(self._codec.dump(x.body))
        return Proposed(frame, author, connector, operation, document, body, customer, person)

    def emit(
        self, x: e.Emit, frame: Frame, author: Author, people: Mapping[int, int]
    ) -> tuple[Document, Touchpoint[Any]]:
        """A touchpoint to record next, checked against its kind."""
        kind = checked_kind(self._kinds, x.kind, x.payload)
        storable(self._codec.dump(x.payload))
        source = frame.touchpoint
        _, person = _whom(x.customer, frame, people)
        touchpoint: Touchpoint[Any] = Touchpoint(
            kind=kind.name,
            key=key_of(frame.by_key, author.name, author.campaign, instance_key(author), x.step),
            tenant=source.tenant,
            occurred_at=source.occurred_at,
            payload=closed(x.payload),
            source=author.name,
            brand=source.brand,
            shop=source.shop,
            guide=source.guide,
            to=x.to,
            customer=None if person is None else CustomerId(person),
        )
        return {"type": "emit", "kind": kind.name, "key": touchpoint.key}, touchpoint

    def _operation(
        self, name: str, operation: str, family: str, frame: Frame
    ) -> tuple[LoadedPlugin, Operation]:
        loaded = self._connectors.get(name)
        if loaded is None or loaded.family not in (family, "channel"):
            raise InvalidValueError(f"no {family} is configured as {name!r}")
        if loaded.tenant not in (None, frame.tenant):
            raise InvalidValueError(f"{family} {name!r} belongs to another tenant")
        operations: Mapping[str, Operation] = loaded.plugin.operations
        if operation not in operations:
            raise InvalidValueError(f"{name!r} has no operation {operation!r}")
        return loaded, operations[operation]


def _whom(
    given: int | None, frame: Frame, people: Mapping[int, int]
) -> tuple[int | None, int | None]:
    """The original customer and the person that an effect is about."""
    return (frame.customer, frame.person) if given is None else (given, people[given])


def _named(given: int | None, people: Mapping[int, int]) -> Document:
    """Whom an effect names besides the touchpoint's own customer, as a part of its document."""
    if given is None:
        return {}
    same = people[given] == given
    return {"customer": int(given)} if same else {"customer": int(given), "person": people[given]}


def checked_kind(
    kinds: Mapping[str, TouchpointKind[Any]], name: str, payload: Any
) -> TouchpointKind[Any]:
    """The kind called *name*, whose payload *payload* must be."""
    kind = kinds.get(name)
    if kind is None:
        raise InvalidValueError(f"no kind of touchpoint is called {name!r}")
    if not isinstance(payload, kind.payload):
        raise InvalidValueError(
            f"{name} takes a {kind.payload.__name__}, not a {type(payload).__name__}"
        )
    return kind


def instance_key(author: Author) -> str:
    """The key of the instance that is decided about, or empty."""
    return author.instance.key if author.instance is not None else ""


def resource_name(author: Author, resource: str) -> str:
    """A resource in its plugin's and campaign's namespace."""
    return f"{author.name}/{author.campaign}/{resource}"
