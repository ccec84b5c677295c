"""Baseline (c): the same with the ORM, as one writes it: an object a row, a session an event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Session

from benchmarks.intake_hand import FIRST_ID, FOREVER, TENANT, WINDOW_US, dumps, key_of, said_by
from benchmarks.intake_raw import prepare
from benchmarks.shop import START, band_of, thanks_for, wait_after
from scrmkit.clock import to_micros
from scrmkit.domain.kinds import OrderPaid
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.persistence import schema

_NOW = to_micros(START)


class _Base(DeclarativeBase):
    metadata = schema.metadata

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class _Customer(_Base):
    __table__ = schema.customer


class _Identity(_Base):
    __table__ = schema.identity


class _Touchpoint(_Base):
    __table__ = schema.touchpoint


class _Personal(_Base):
    __table__ = schema.personal


class _Tag(_Base):
    __table__ = schema.tag


class _Attribute(_Base):
    __table__ = schema.attribute


class _Memo(_Base):
    __table__ = schema.memo


class _Consent(_Base):
    __table__ = schema.consent


class _Score(_Base):
    __table__ = schema.score


class _Suppression(_Base):
    __table__ = schema.suppression


class _Outgoing(_Base):
    __table__ = schema.outgoing


class _Timer(_Base):
    __table__ = schema.timer


class WithOrm:
    """Takes paid orders one by one, each in a session and transaction of its own."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", lambda raw, _: prepare(raw))
        self._ids = count(FIRST_ID)

    def record(self, number: int, batch: Sequence[Touchpoint[Any]]) -> None:
        """Record each of a batch."""
        for touchpoint in batch:
            with Session(self._engine) as session, session.begin():
                self._take(session, touchpoint)

    def _take(self, session: Session, touchpoint: Touchpoint[OrderPaid]) -> None:
        same = {"tenant": TENANT, "kind": touchpoint.kind, "key": touchpoint.key}
        if session.scalars(select(_Touchpoint).filter_by(**same)).first() is not None:
            return
        order, at = touchpoint.payload, to_micros(touchpoint.occurred_at)
        identity = self._identity(session, touchpoint.identities[0].value)
        person = identity.person
        mine = {"tenant": TENANT, "person": person}
        tags = {(tag.grp, tag.name) for tag in session.scalars(select(_Tag).filter_by(**mine, present=1))}
        id_, by_key = next(self._ids), f"{touchpoint.kind}|{touchpoint.key}"
        times, fen = self._bought(session, person, -FOREVER)
        fen += order.amount_fen
        source, spend = ("source", touchpoint.source), ("spend", band_of(fen))
        first = "again" if source in tags else "first"
        said = []
        for tag, why, plugin, reason in (
            (source, "source", "source-tag", f"{first} by {touchpoint.source}"),
            (spend, "interaction", "spend-tag", f"spent {fen} fen in {times + 1} orders"),
        ):
            session.merge(
                _Tag(
                    tenant=TENANT, customer=person, grp=tag[0], name=tag[1], person=person, at=at,
                    by_key=by_key, present=1, source=why, plugin=plugin, touchpoint=id_,
                )
            )  # fmt: skip
            effect = {"type": "add_tag", "group": tag[0], "name": tag[1], "source": why}
            said.append(said_by(plugin, reason, effect))
        consents = session.scalars(select(_Consent).filter_by(**mine)).all()
        if all(consent.granted for consent in consents):
            said.append(self._thank(session, order, person, id_))
        said.append(self._follow_up(session, person, at))
        said += self._rare(session, order, mine, ("spend", "large") in tags)
        payload = {
            "order_no": order.order_no,
            "amount_fen": order.amount_fen,
            **({} if order.quantity == 1 else {"quantity": order.quantity}),
            **({} if order.transaction is None else {"transaction": order.transaction}),
        }
        session.add(
            _Touchpoint(
                **same, id=id_, version=1, occurred_at=at, received_at=_NOW, customer=person,
                person=person, amount_fen=order.amount_fen, source=touchpoint.source,
                brand=touchpoint.brand, shop=touchpoint.shop, payload=dumps(payload),
                context=dumps({"identities": [identity.id]}), decisions=dumps(said),
            )
        )  # fmt: skip

    def _identity(self, session: Session, phone: str) -> _Identity:
        named = {"tenant": TENANT, "kind": "phone", "scope": "", "value": phone}
        identity = session.scalars(select(_Identity).filter_by(**named)).first()
        if identity is None:
            person = next(self._ids)
            session.add(_Customer(id=person, tenant=TENANT, person=person, created_at=_NOW))
            identity = _Identity(**named, id=next(self._ids), customer=person, person=person, linked_at=_NOW)
            session.add(identity)
        return identity

    def _bought(self, session: Session, person: int, since: int) -> tuple[int, int]:
        """How many orders, and what they came to."""
        t = schema.touchpoint.c
        times, fen = session.execute(
            select(func.count(t.id), func.coalesce(func.sum(t.amount_fen), 0)).where(
                t.tenant == TENANT, t.person == person, t.kind == "order.paid",
                t.occurred_at >= since,
            )
        ).one()  # fmt: skip
        return times, fen

    def _follow_up(self, session: Session, person: int, at: int) -> dict[str, Any]:
        after = wait_after(self._bought(session, person, at - WINDOW_US)[0])
        due_at = at + after.days * 86_400_000_000
        session.merge(
            _Timer(
                tenant=TENANT, plugin="follow-up", scope=f"customer:{person}", key="follow-up",
                due_at=due_at, customer=person,
            )
        )  # fmt: skip
        effect = {"type": "start_timer", "key": "follow-up", "due_at": due_at}
        return said_by("follow-up", f"again in {after.days} days", effect)

    def _thank(self, session: Session, order: OrderPaid, person: int, touchpoint: int) -> dict[str, Any]:
        key = key_of(person, order.order_no)
        effect: dict[str, Any] = {
            "type": "propose", "key": key, "purpose": "service", "connector": "notices",
            "operation": "send",
        }  # fmt: skip
        if session.scalars(select(_Outgoing).filter_by(tenant=TENANT, key=key)).first() is not None:
            return said_by("thank-you", "paid", {**effect, "status": "repeated"})
        names = session.scalars(select(_Identity).filter_by(tenant=TENANT, person=person)).all()
        address = next((name.id for name in names if name.kind == "phone"), None)
        status, code, reason = "planned", "ok", "the contact policy allows it"
        if address is None or session.get(_Suppression, (TENANT, "notices", address)) is not None:
            status, code, reason = "suppressed", "suppressed", "not to be written to"
        id_ = next(self._ids)
        session.add(
            _Outgoing(
                id=id_, tenant=TENANT, key=key, type="message", connector="notices",
                operation="send", customer=person, person=person, plugin="thank-you",
                purpose="service", status=status, code=code, reason=reason, priority=5, due_at=_NOW,
                not_after=FOREVER, planned_at=_NOW, attempts=0, leased_until=0, address=address,
                settled_at=None if status == "planned" else _NOW, touchpoint=touchpoint,
            )
        )  # fmt: skip
        if status == "planned":
            text = dumps({"text": thanks_for(order)})
            session.add(_Personal(id=id_, tenant=TENANT, customer=person, data=text))
        effect.update(status=status, code=code, reason=reason, due_at=_NOW)
        effect.update(priority=5, address=address)
        return said_by("thank-you", "paid", effect)

    def _rare(self, session: Session, order: OrderPaid, mine: dict[str, Any], known_well: bool) -> list[dict[str, Any]]:
        """What the rules say that nearly never say anything."""
        said = []
        attributes = session.scalars(select(_Attribute).filter_by(**mine)).all()
        if any(row.name == "desk.complaint" and json.loads(row.value) for row in attributes):
            said.append(said_by("complaint", "complained"))
        if any(row.band == "A" for row in session.scalars(select(_Score).filter_by(**mine))):
            said.append(said_by("best-customers", "one of the best"))
        if order.amount_fen > 1_000_000 and not known_well:
            said.append(said_by("big-order", "a large order of a stranger"))
        if session.scalars(select(_Memo).filter_by(**mine, plugin="promise")).first() is not None:
            said.append(said_by("promise", "kept a promise"))
        return said
