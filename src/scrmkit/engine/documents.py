"""From typed effects to the documents that are applied, stored and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrmkit.domain import effects as e
from scrmkit.domain import ids, messages, profile
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.engine import forms
from scrmkit.engine.frame import Author, Frame, Proposed
from scrmkit.errors import InvalidValueError
from scrmkit.persistence.codec import Codec, closed
from scrmkit.plugins import LoadedPlugin, PluginSet

Document = dict[str, Any]


class Documents:
    """
    Writes effects down as documents of JSON values.

    Whatever is wrong with an effect is found here, before any of its decision
    is applied: the plugin broke its contract, and its decision is lost whole.
    """

    def __init__(self, plugins: PluginSet, codec: Codec) -> None:
        self._kinds = plugins.kinds
        self._connectors = {
            loaded.name: loaded for loaded in plugins.plugins if loaded.family in ("channel", "connector")
        }
        self._codec = codec
        self._texts: dict[int, tuple[profile.Score, str]] = {}

    def write(self, effect: Any, frame: Frame, author: Author, people: Mapping[int, int]) -> Document:
        """
        The document of an effect; of what is sent or emitted only a part.

        Args:
            people: Who the customers are, after merges, that effects name.
        """
        kind = type(effect)
        form = forms.FORMS.get(kind)
        if form is None:
            raise InvalidValueError(f"{kind.__name__} is not an effect")
        about, named = form.about, getattr(effect, "customer", None)
        if about == "timer":
            about = "customer" if author.instance is None else "instance"
        if about in ("instance", "part") and author.instance is None:
            raise InvalidValueError(f"{kind.__name__} is for mechanics: there is no instance here")
        if about in ("customer", "part") and named is None and frame.person is None:
            raise InvalidValueError(f"{kind.__name__} needs a customer; this touchpoint has none")
        document = {"type": form.type, **forms.written(form, effect, author)}
        if named is not None:
            document["customer"] = int(named)
            if people[named] != named:
                document["person"] = people[named]
        if kind is e.Post:
            document["once"] = author.key(frame.tenant, effect.once)
        elif kind is e.SetScore:
            document |= forms.written(forms.SCORE, effect.score, author)
            document["detail"] = self.score_text(effect.score)
        elif kind is e.OpenInstance:
            self._add_state(effect, author, document)
        return document

    def score_text(self, score: profile.Score) -> str:
        """A score as JSON text; the newest are remembered, for who asks twice."""
        there = self._texts.get(id(score))
        if there is None or there[0] is not score:
            if len(self._texts) > 1000:
                self._texts.clear()
            there = self._texts[id(score)] = (score, forms.text_of(self._codec.dump(score)))
        return there[1]

    def _add_state(self, x: e.OpenInstance, author: Author, document: Document) -> None:
        own = author.instance
        if own is None or own.campaign != x.campaign:
            raise InvalidValueError("an instance opens others of its own campaign alone")
        if not isinstance(x.state, author.loaded.plugin.State):
            raise InvalidValueError(f"the state is a {type(x.state).__name__}")
        state = self._codec.dump(x.state)
        forms.text_of(state)
        document.update(campaign=x.campaign, campaign_version=own.campaign_version, state=state)

    def send(self, x: e.Propose | e.Request, frame: Frame, author: Author, people: Mapping[int, int]) -> Proposed:
        """A message or request, checked against the channel or connector that is to carry it."""
        document: Document = {**self.write(x, frame, author, people), "key": x.once}
        message = None
        if isinstance(x, e.Propose):
            message, family, name = x.message, "channel", x.message.channel
            asked, body = message.operation, message.content
            document["purpose"] = str(message.purpose)
        else:
            family, name, asked, body = "connector", x.connector, x.operation, x.body
            if x.answer_to is not None:
                ref = x.answer_to.ref
                document["reply_to"] = [ref.plugin, ref.campaign, ref.key, x.answer_to.step]
        connector, operation = self._operation(name, asked, family, frame)
        if not isinstance(body, operation.body):
            raise InvalidValueError(f"{name}.{asked} takes a {operation.body.__name__}, not a {type(body).__name__}")
        document.update(connector=name, operation=asked)
        body = forms.text_of(self._codec.dump(body))
        customer, person = _whom(x.customer, frame, people)
        return Proposed(frame, author, connector, operation, document, body, customer, person, message=message)

    def emit(
        self, x: e.Emit, frame: Frame, author: Author, people: Mapping[int, int]
    ) -> tuple[Document, Touchpoint[Any]]:
        """A touchpoint to record next, checked against its kind."""
        kind = checked_kind(self._kinds, x.kind, x.payload)
        forms.text_of(self._codec.dump(x.payload))
        source = frame.touchpoint
        _, person = _whom(x.customer, frame, people)
        touchpoint: Touchpoint[Any] = Touchpoint(
            kind=kind.name, key=author.key(frame.by_key, x.step), tenant=source.tenant,
            occurred_at=source.occurred_at, payload=closed(x.payload), source=author.name,
            brand=source.brand, shop=source.shop, guide=source.guide, to=x.to,
            customer=None if person is None else ids.CustomerId(person),
        )  # fmt: skip
        return {"type": "emit", "kind": kind.name, "key": touchpoint.key}, touchpoint

    def _operation(
        self, name: str, operation: str, family: str, frame: Frame
    ) -> tuple[LoadedPlugin, messages.Operation]:
        loaded = self._connectors.get(name)
        if loaded is None or loaded.family not in (family, "channel"):
            raise InvalidValueError(f"no {family} is configured as {name!r}")
        if loaded.tenant not in (None, frame.tenant):
            raise InvalidValueError(f"{family} {name!r} belongs to another tenant")
        operations: Mapping[str, messages.Operation] = loaded.plugin.operations
        if operation not in operations:
            raise InvalidValueError(f"{name!r} has no operation {operation!r}")
        asked = operations[operation]
        if family != loaded.family and asked.addressed:
            raise InvalidValueError(
                f"{name}.{operation} writes to a customer: propose a message, which the contact policy looks at"
            )
        return loaded, asked


def _whom(given: int | None, frame: Frame, people: Mapping[int, int]) -> tuple[int | None, int | None]:
    """The original customer and the person that an effect is about."""
    return (frame.customer, frame.person) if given is None else (given, people[given])


def checked_kind(kinds: Mapping[str, TouchpointKind[Any]], name: str, payload: Any) -> TouchpointKind[Any]:
    """The kind called *name*, whose payload *payload* must be."""
    kind = kinds.get(name)
    if kind is None:
        raise InvalidValueError(f"no kind of touchpoint is called {name!r}")
    if not isinstance(payload, kind.payload):
        raise InvalidValueError(f"{name} takes a {kind.payload.__name__}, not a {type(payload).__name__}")
    return kind
