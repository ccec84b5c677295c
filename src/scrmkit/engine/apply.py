"""Applies documents of effects to the working set: a decision whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId
from scrmkit.engine.documents import Document
from scrmkit.engine.frame import Frame, GuardError
from scrmkit.engine.rows import AccountRow, InstanceRow, PartRow, ReservationRow, ResourceRow
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError
from scrmkit.persistence.codec import to_json
from scrmkit.persistence.ids import IdAllocator

_Undo = list[Callable[[], None]]


class Applier:
    """Applies what plugins decided, and what is replayed, in the same way."""

    def __init__(self, work: WorkSet, ids: IdAllocator) -> None:
        self._work = work
        self._ids = ids
        self._simple = {
            "add_tag": self._tag,
            "remove_tag": self._tag,
            "set_attribute": self._attribute,
            "remember": self._remember,
            "set_score": self._score,
            "record_consent": self._consent,
            "start_timer": self._start_timer,
            "cancel_timer": self._cancel_timer,
        }
        self._guarded = {
            "leave": self._leave,
            "open_instance": self._open,
            "add_alias": self._alias,
            "join": self._join,
            "change_participant": self._change,
            "reserve": self._reserve,
            "commit": self._commit,
            "release": self._release,
            "post": self._post,
        }

    def apply(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, documents: Sequence[Document]
    ) -> None:
        """
        Apply all *documents*, those that a limit can refuse first.

        Raises:
            GuardError: A limit was reached. As after any error, nothing of this
                decision is applied.
        """
        undo: _Undo = []
        try:
            for document in documents:
                guarded = self._guarded.get(document["type"])
                if guarded is not None:
                    guarded(frame, plugin, instance, document, undo)
        except BaseException:
            for step in reversed(undo):
                step()
            raise
        for document in documents:
            simple = self._simple.get(document["type"])
            if simple is not None:
                simple(frame, plugin, instance, document)

    # --- profile -------------------------------------------------------------------------

    def _whom(self, frame: Frame, document: Document) -> tuple[int, int]:
        """The original customer and the person that an effect is about."""
        given: int | None = document.get("customer")
        if given is not None:
            person: int = document.get("person", given)
            return given, person
        if frame.customer is None or frame.person is None:
            raise InvalidValueError(
                f"{document['type']} needs a customer; this touchpoint has none"
            )
        return frame.customer, frame.person

    def _tag(self, frame: Frame, plugin: str, instance: Any, doc: Document) -> None:
        customer, person = self._whom(frame, doc)
        self._work.newest["tag"].put(
            (frame.tenant, customer, doc["group"], doc["name"], person, frame.occurred_us,
             frame.by_key, int(doc["type"] == "add_tag"), doc.get("source", "manual"), plugin,
             frame.id, doc.get("expires_at"))
        )  # fmt: skip

    def _attribute(self, frame: Frame, plugin: str, instance: Any, doc: Document) -> None:
        customer, person = self._whom(frame, doc)
        self._work.newest["attribute"].put(
            (frame.tenant, customer, doc["name"], person, frame.occurred_us, frame.by_key,
             to_json(doc["value"]), frame.id)
        )  # fmt: skip

    def _remember(self, frame: Frame, plugin: str, instance: Any, doc: Document) -> None:
        customer, person = self._whom(frame, doc)
        work, memos = self._work, self._work.newest["memo"]
        work.load_newest(memos.table, [(frame.tenant, person)])
        # Unlike the rest of the profile a memo is read and written again: it counts its words
        # in the order of acceptance, or a late touchpoint's would be lost.
        newest = memos.of((frame.tenant, person)).get((plugin,))
        count = 1 if newest is None else newest[4] + 1
        memos.put((frame.tenant, customer, plugin, person, count, "", to_json(doc["value"])))

    def _consent(self, frame: Frame, plugin: str, instance: Any, doc: Document) -> None:
        customer, person = self._whom(frame, doc)
        self._work.newest["consent"].put(
            (frame.tenant, customer, doc["channel"], doc["purpose"], person, frame.occurred_us,
             frame.by_key, int(doc["granted"]), doc["proof"], frame.id)
        )  # fmt: skip

    def _score(self, frame: Frame, plugin: str, instance: Any, doc: Document) -> None:
        customer, person = self._whom(frame, doc)
        self._work.newest["score"].put(
            (frame.tenant, customer, doc["scorer"], person, doc["at"], frame.by_key,
             doc["hundredths"], doc["band"], doc["segment"], doc["stage"], doc["detail"], frame.id)
        )  # fmt: skip

    # --- timers --------------------------------------------------------------------------

    def _timer_key(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document
    ) -> tuple[tuple[str, str, str, str], int | None]:
        if instance is not None:
            scope = instance_scope(instance.campaign, instance.key)
            return (frame.tenant, plugin, scope, doc["key"]), None
        customer, _ = self._whom(frame, doc)
        return (frame.tenant, plugin, f"customer:{customer}", doc["key"]), customer

    def _start_timer(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document
    ) -> None:
        key, customer = self._timer_key(frame, plugin, instance, doc)
        self._work.timers[key] = (*key, doc["due_at"], customer)

    def _cancel_timer(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document
    ) -> None:
        key, _ = self._timer_key(frame, plugin, instance, doc)
        self._work.timers[key] = None

    # --- instances -----------------------------------------------------------------------

    def _open(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        ref = InstanceRef(plugin=plugin, campaign=CampaignId(doc["campaign"]), key=doc["key"])
        work = self._work
        work.load_instances([(frame.tenant, ref)])
        if work.instances[frame.tenant, ref] is not None:
            raise GuardError("an instance of that key exists")
        row = InstanceRow(
            self._ids.take(), frame.tenant, plugin, doc["campaign"], doc["key"],
            doc["campaign_version"], to_json(doc["state"]), 1, False, frame.received_us, 0,
        )  # fmt: skip
        work.add_instance(row)

        def forget() -> None:
            work.instances[frame.tenant, ref] = None
            del work.by_id[row.id]

        undo.append(forget)

    def _alias(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        instance = _required(instance, doc)
        key = (frame.tenant, plugin, doc["kind"], doc["value"])
        work = self._work
        work.load_aliases([key])
        there = work.aliases[key]
        if there == instance.id:
            return
        if there is not None:
            raise GuardError(f"the {doc['kind']} leads to another instance already")
        row = (*key, instance.id)
        work.aliases[key] = instance.id
        work.new_aliases.append(row)

        def forget() -> None:
            work.aliases[key] = None
            work.new_aliases.remove(row)

        undo.append(forget)

    def _join(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        instance = _required(instance, doc)
        customer, person = self._whom(frame, doc)
        work = self._work
        if self._part(frame, plugin, instance, doc["role"], person) is not None:
            raise GuardError(f"the customer is a {doc['role']} already")
        part = PartRow(
            instance.id, doc["role"], customer, frame.tenant, plugin, person, doc["data"],
            frame.received_us, frame.id, instance.ref, False, new=True,
        )  # fmt: skip
        earlier = work.parts.get((instance.id, doc["role"], customer))
        if earlier is not None and not earlier.new:  # left in this batch: the row is still there
            part.new, part.changed = False, True
        work.add_part(part)
        undo.append(lambda: work.drop_part(part))

    def _part(
        self, frame: Frame, plugin: str, instance: InstanceRow, role: str, person: int
    ) -> PartRow | None:
        for part in self._work.parts_of(frame.tenant, plugin, person):
            if part.instance == instance.id and part.role == role:
                return part
        return None

    def _change(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        instance = _required(instance, doc)
        part = self._part(frame, plugin, instance, doc["role"], self._whom(frame, doc)[1])
        if part is None:
            raise GuardError(f"the customer is no {doc['role']}")
        before = (part.data, part.changed)
        part.data, part.changed = doc["data"], True

        def restore() -> None:
            part.data, part.changed = before

        undo.append(restore)

    def _leave(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        instance = _required(instance, doc)
        part = self._part(frame, plugin, instance, doc["role"], self._whom(frame, doc)[1])
        if part is not None:
            self._work.drop_part(part)

            def restore() -> None:
                part.gone = False
                self._work.add_part(part)

            undo.append(restore)

    # --- resources and ledgers -----------------------------------------------------------

    def _resource(self, tenant: str, name: str, capacity: int | None, undo: _Undo) -> ResourceRow:
        key = (tenant, name)
        work = self._work
        work.load_resources([key])
        row = work.resources[key]
        if row is None:
            if capacity is None:
                raise GuardError("nothing of this resource was ever reserved")
            row = work.resources[key] = ResourceRow(tenant, name, capacity, 0, 0, new=True)
            undo.append(lambda: work.resources.update({key: None}))
        return row

    def _reserve(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        work, quantity = self._work, doc["quantity"]
        resource = self._resource(frame.tenant, doc["resource"], doc["capacity"], undo)
        key = (frame.tenant, doc["resource"], doc["name"])
        there = work.reservation(*key)
        if there is not None and there.status != "released":
            raise GuardError(f"reservation {doc['name']!r} exists")
        before = resource.capacity
        capacity = max(before, doc["capacity"])  # a campaign's next version may have more
        if resource.held + resource.used + quantity > capacity:
            raise GuardError(f"only {capacity - resource.held - resource.used} left")
        resource.capacity = capacity
        resource.move(quantity, 0)
        work.reservations[key] = ReservationRow(
            *key, quantity, "held", doc["expires_at"],
            instance.id if instance is not None else None,
            there.base if there else None, there is not None,
        )  # fmt: skip

        def restore() -> None:
            resource.move(-quantity, 0)
            resource.capacity = before
            work.reservations[key] = there

        undo.append(restore)

    def _commit(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        row = self._work.reservation(frame.tenant, doc["resource"], doc["name"])
        if row is None or row.status == "released":
            raise GuardError(f"reservation {doc['name']!r} was released")
        if row.status == "used":
            return
        self._settle(frame, row, "used", -row.quantity, row.quantity, undo)

    def _release(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        row = self._work.reservation(frame.tenant, doc["resource"], doc["name"])
        if row is None or row.status == "released":
            return
        if row.status == "held":
            self._settle(frame, row, "released", -row.quantity, 0, undo)
        elif doc["committed"]:
            self._settle(frame, row, "released", 0, -row.quantity, undo)

    def _settle(
        self, frame: Frame, row: ReservationRow, status: str, held: int, used: int, undo: _Undo
    ) -> None:
        resource = self._resource(frame.tenant, row.resource, None, undo)
        before = row.status
        resource.move(held, used)
        row.status = status

        def restore() -> None:
            resource.move(-held, -used)
            row.status = before

        undo.append(restore)

    def _post(
        self, frame: Frame, plugin: str, instance: InstanceRow | None, doc: Document, undo: _Undo
    ) -> None:
        work, ledger = self._work, doc["ledger"]
        if work.is_posted(frame.tenant, ledger, doc["once"]):
            return
        work.load_accounts((frame.tenant, ledger, owner) for owner, _ in doc["legs"])
        for number, (owner, amount) in enumerate(doc["legs"]):
            account = work.accounts[frame.tenant, ledger, owner]
            floor = doc["floor"]
            if floor is not None and amount < 0 and account.balance + amount < floor:
                raise GuardError(f"the balance would fall below {floor}")
            entry = (self._ids.take(), frame.tenant, ledger, doc["once"], number, owner, amount,
                     frame.received_us, frame.id)  # fmt: skip
            self._add(account, amount, floor if amount < 0 else None, entry, undo)
        work.postings[frame.tenant, ledger, doc["once"]] = True
        undo.append(lambda: work.postings.update({(frame.tenant, ledger, doc["once"]): False}))

    def _add(
        self, account: AccountRow, amount: int, floor: int | None, entry: Any, undo: _Undo
    ) -> None:
        before = (account.balance, account.added, account.needs)
        account.balance += amount
        account.added += amount
        if floor is not None:
            needs = floor - account.added
            account.needs = needs if account.needs is None else max(account.needs, needs)
        self._work.new_entries.append(entry)

        def restore() -> None:
            account.balance, account.added, account.needs = before
            self._work.new_entries.remove(entry)

        undo.append(restore)


def instance_scope(campaign: str, key: str) -> str:
    """The scope of an instance's timers."""
    return to_json([campaign, key])


def _required(instance: InstanceRow | None, document: Document) -> InstanceRow:
    if instance is None:
        raise InvalidValueError(f"{document['type']} is for mechanics: there is no instance here")
    return instance
