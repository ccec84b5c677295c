"""Applies documents of effects to the working set: a decision whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId
from scrmkit.engine import rows
from scrmkit.engine.documents import Document
from scrmkit.engine.frame import Frame, GuardError
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import codec, schema
from scrmkit.persistence.ids import IdAllocator


class Applier:
    """Applies what plugins decided, and what is replayed, in the same way."""

    def __init__(self, work: WorkSet, ids: IdAllocator) -> None:
        self._work = work
        self._ids = ids

    def apply(
        self, frame: Frame, plugin: str, instance: rows.InstanceRow | None, documents: Sequence[Document]
    ) -> None:
        """
        Apply all *documents*, those that a limit can refuse first.

        Raises:
            GuardError: A limit was reached. As after any error, nothing of this
                decision is applied.
        """
        one = _Decision(self._work, self._ids, frame, plugin, instance)
        try:
            for steps in (_GUARDED, _SIMPLE):
                for document in documents:
                    step = steps.get(document["type"])
                    if step is not None:
                        step(one, document)
        except BaseException:
            for call, *arguments in reversed(one.undo):
                call(*arguments)
            raise


@attrs.define(slots=True, eq=False)
class _Decision:
    """
    One decision while it is applied.

    Attributes:
        instance: Whose decision it is, None for a rule's; documents are checked for that.
        undo: Calls that take back what was done, in its order.
    """

    work: WorkSet
    ids: IdAllocator
    frame: Frame
    plugin: str
    instance: Any
    undo: list[tuple[Any, ...]] = attrs.field(factory=list)

    def whom(self, document: Document) -> tuple[Any, Any]:
        """The original customer and the person of an effect that is about one."""
        given = document.get("customer")
        if given is None:
            return self.frame.customer, self.frame.person
        return given, document.get("person", given)

    def set(self, row: Any, **values: Any) -> None:
        """Change attributes of a row."""
        for name, value in values.items():
            self.undo.append((setattr, row, name, getattr(row, name)))
            setattr(row, name, value)

    def put(self, loaded: dict[Any, Any], key: Any, row: Any) -> None:
        """Put a row where *key* was looked up before."""
        self.undo.append((loaded.__setitem__, key, loaded[key]))
        loaded[key] = row

    def insert(self, table: Any, row: tuple[Any, ...]) -> None:
        """Write a row that nothing reads again."""
        self.undo.append((self.work.inserts[table].remove, row))
        self.work.insert(table, row)


# --- profile -----------------------------------------------------------------------------


_WORDS = {
    "add_tag": "tag", "remove_tag": "tag", "set_attribute": "attribute", "set_score": "score",
    "record_consent": "consent",
}  # fmt: skip
_UNSAID = {"source": "manual", "expires_at": None}


def _word(one: _Decision, doc: Document) -> None:
    """A word on a customer: its row holds what the document says, under the columns' names."""
    frame, (customer, person), type_ = one.frame, one.whom(doc), doc["type"]
    words = one.work.newest[_WORDS[type_]]
    row = {
        **_UNSAID, **doc, "tenant": frame.tenant, "customer": customer, "person": person,
        "at": doc.get("as_of", frame.occurred_us), "by_key": frame.by_key, "plugin": one.plugin,
        "touchpoint": frame.id, "grp": doc.get("group"), "present": int(type_ == "add_tag"),
        "granted": int(doc.get("granted", False)),
    }  # fmt: skip
    if type_ == "set_attribute":
        row["value"] = codec.to_json(doc.get("value"))
    words.put(tuple(map(row.__getitem__, words.columns)))


def _memo(one: _Decision, doc: Document) -> None:
    tenant, (customer, person) = one.frame.tenant, one.whom(doc)
    memos = one.work.newest["memo"]
    one.work.load_newest(memos.table, [(tenant, person)])
    # Unlike the rest of the profile a memo is read and written again: it counts its words
    # in the order of acceptance, or a late touchpoint's would be lost.
    newest = memos.of((tenant, person)).get((one.plugin,))
    count = 1 if newest is None else newest[4] + 1
    memos.put((tenant, customer, one.plugin, person, count, "", codec.to_json(doc["value"])))


# --- timers ------------------------------------------------------------------------------


def instance_scope(campaign: str, key: str) -> str:
    """The scope of an instance's timers."""
    return codec.to_json([campaign, key])


def _timer(one: _Decision, doc: Document) -> None:
    customer = None
    if one.instance is not None:
        scope = instance_scope(one.instance.campaign, one.instance.key)
    else:
        customer, _ = one.whom(doc)
        scope = f"customer:{customer}"
    key = (one.frame.tenant, one.plugin, scope, doc["key"])
    starts = doc["type"] == "start_timer"
    one.work.timers[key] = (*key, doc["due_at"], customer) if starts else None


# --- instances ---------------------------------------------------------------------------


def _open(one: _Decision, doc: Document) -> None:
    work, frame = one.work, one.frame
    ref = InstanceRef(plugin=one.plugin, campaign=CampaignId(doc["campaign"]), key=doc["key"])
    work.load_instances([(frame.tenant, ref)])
    if work.instances[frame.tenant, ref] is not None:
        raise GuardError("an instance of that key exists")
    row = rows.InstanceRow(
        one.ids.take(), frame.tenant, one.plugin, doc["campaign"], doc["key"],
        doc["campaign_version"], codec.to_json(doc["state"]), 1, 0, frame.received_us,
    )  # fmt: skip
    one.undo.append((work.drop_instance, row))
    work.add_instance(row)


def _alias(one: _Decision, doc: Document) -> None:
    work, instance = one.work, one.instance
    key = (one.frame.tenant, one.plugin, doc["kind"], doc["value"])
    work.load_aliases([key])
    there = work.aliases[key]
    if there is None:
        one.put(work.aliases, key, instance.id)
        one.insert(schema.alias, (*key, instance.id))
    elif there != instance.id:
        raise GuardError(f"the {doc['kind']} leads to another instance already")


def _part(one: _Decision, doc: Document) -> rows.PartRow | None:
    """The customer's part in the role, None where there is none."""
    instance, (_, person) = one.instance, one.whom(doc)
    for part in one.work.parts_of(one.frame.tenant, one.plugin, person):
        if part.instance == instance.id and part.role == doc["role"]:
            return part
    return None


def _join(one: _Decision, doc: Document) -> None:
    if _part(one, doc) is not None:
        raise GuardError(f"the customer is a {doc['role']} already")
    work, frame, instance = one.work, one.frame, one.instance
    customer, person = one.whom(doc)
    part = rows.PartRow(
        instance.id, doc["role"], customer, frame.tenant, one.plugin, person,
        codec.to_json(doc["data"]), frame.received_us, frame.id, instance.ref, False,
    )  # fmt: skip
    earlier = work.parts.get(part.id)
    if earlier is not None:  # left in this batch: the row may still be there
        part.base = earlier.base
    one.undo.append((work.drop_part, part))
    work.add_part(part)


def _change(one: _Decision, doc: Document) -> None:
    part = _part(one, doc)
    if part is None:
        raise GuardError(f"the customer is no {doc['role']}")
    one.set(part, data=codec.to_json(doc["data"]))


def _leave(one: _Decision, doc: Document) -> None:
    part = _part(one, doc)
    if part is not None:
        one.undo.append((one.work.add_part, part))
        one.work.drop_part(part)


# --- resources and ledgers ---------------------------------------------------------------


def _reserve(one: _Decision, doc: Document) -> None:
    work, quantity = one.work, doc["quantity"]
    key = (one.frame.tenant, doc["resource"], doc["reservation"])
    resource = work.resources.of(key[:2])
    if resource is None:
        resource = rows.ResourceRow(*key[:2], doc["capacity"], 0, 0)
        one.put(work.resources, key[:2], resource)
    there = work.reservations.of(key)
    if there is not None and there.status != "released":
        raise GuardError(f"reservation {doc['reservation']!r} exists")
    capacity = max(resource.capacity, doc["capacity"])  # a campaign's next version may have more
    free = capacity - resource.held - resource.used
    if quantity > free:
        raise GuardError(f"only {free} left")
    one.set(resource, capacity=capacity, held=resource.held + quantity)
    held = rows.ReservationRow(
        *key, quantity, "held", doc.get("expires_at"),
        one.instance.id if one.instance is not None else None,
        base=there.base if there is not None else None,
    )  # fmt: skip
    one.put(work.reservations, key, held)


def _settle(one: _Decision, doc: Document) -> None:
    """Commit or release a reservation."""
    key = (one.frame.tenant, doc["resource"], doc["reservation"])
    row, commits = one.work.reservations.of(key), doc["type"] == "commit"
    if row is None or row.status == "released":
        if commits:
            raise GuardError(f"reservation {doc['reservation']!r} was released")
        return
    if row.status == "used" and (commits or not doc["committed"]):
        return
    resource = one.work.resources.of(key[:2])
    if resource is None:
        raise GuardError("nothing of this resource was ever reserved")
    one.set(resource, **{row.status: getattr(resource, row.status) - row.quantity})
    if commits:
        one.set(resource, used=resource.used + row.quantity)
    one.set(row, status="used" if commits else "released")


def _post(one: _Decision, doc: Document) -> None:
    work, frame, ledger, floor = one.work, one.frame, doc["ledger"], doc.get("floor")
    key = (frame.tenant, ledger, doc["once"])
    if work.postings.of(key) is not None:
        return
    work.accounts.load((frame.tenant, ledger, owner) for owner, _ in doc["legs"])
    for number, (owner, amount) in enumerate(doc["legs"]):
        account = work.accounts[frame.tenant, ledger, owner]
        entry = (one.ids.take(), *key, number, owner, amount, frame.received_us, frame.id)
        needs = account.needs
        if floor is not None and amount < 0:
            if account.balance + amount < floor:
                raise GuardError(f"the balance would fall below {floor}")
            least = floor - amount - account.added
            needs = least if needs is None else max(needs, least)
        one.set(account, balance=account.balance + amount, needs=needs)
        one.insert(schema.entry, entry)
    one.put(work.postings, key, key)


_Steps = Mapping[str, Callable[[_Decision, Document], None]]
_GUARDED: _Steps = {
    "open_instance": _open,
    "add_alias": _alias,
    "join": _join,
    "change_participant": _change,
    "leave": _leave,
    "reserve": _reserve,
    "commit": _settle,
    "release": _settle,
    "post": _post,
}
_SIMPLE: _Steps = {**dict.fromkeys(_WORDS, _word), "remember": _memo, "start_timer": _timer, "cancel_timer": _timer}
