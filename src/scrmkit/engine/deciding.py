"""Asks the plugins that a touchpoint concerns, and applies what they decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Decision, Now, Step
from scrmkit.domain.effects import Emit, Propose, Request
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.reads import Consents
from scrmkit.domain.touchpoint import Touchpoint, Witness
from scrmkit.engine.apply import Applier
from scrmkit.engine.calls import Calls, ContractError, Trouble, a_decision, a_step, usable
from scrmkit.engine.campaigns import Campaigns
from scrmkit.engine.documents import Documents
from scrmkit.engine.forms import text_of
from scrmkit.engine.frame import Author, Frame, GuardError, Proposed, key_of
from scrmkit.engine.knowing import Knowing, View, Wanted
from scrmkit.engine.organisation import Organisation
from scrmkit.engine.rows import InstanceRow
from scrmkit.engine.targets import Interests, Target, Targets
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError, StorageError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, thawed, to_json
from scrmkit.persistence.frozen import is_frozen
from scrmkit.persistence.ids import IdAllocator
from scrmkit.plugins import LoadedPlugin, PluginSet


@attrs.define(slots=True, eq=False)
class Shared:
    """What outlives a batch and every decider needs."""

    plugins: PluginSet
    calls: Calls
    codec: Codec
    campaigns: Campaigns
    organisation: Organisation
    documents: Documents
    interests: Interests
    ids: IdAllocator
    secret: bytes


class Deciding:
    """Deciding over one working set."""

    def __init__(self, shared: Shared, work: WorkSet, knowing: Knowing) -> None:
        self._shared = shared
        self._work = work
        self._knowing = knowing
        self._applier = Applier(work, shared.ids)
        self._targets = Targets(work, shared.calls, shared.campaigns, shared.codec)
        self._asked: dict[Frame, list[tuple[LoadedPlugin, Any]]] = {}
        self._needs: dict[tuple[Frame, InstanceRef], tuple[int, Any]] = {}
        self._people: list[tuple[str, int]] = []
        self._proposed: list[Proposed] = []
        self.may_answer = False

    # --- before: what must be loaded -----------------------------------------------------

    def prefetch(self, frames: Sequence[Frame]) -> None:
        """
        Load for all *frames* at once what they lead to, then what their plugins need.

        What goes wrong is counted when the turn of its touchpoint comes.
        """
        if not self._people:
            self._people = [(f.tenant, f.person) for f in frames if f.person is not None]
        self._knowing.here.update((f.tenant, f.person) for f in frames if f.person is not None)
        wanted: Wanted = defaultdict(list)
        addresses = []
        for frame in frames:
            asked = self._asked[frame] = []
            for loaded in self._shared.interests.of(frame.touchpoint):
                if not self._shared.calls.is_asked(loaded):
                    continue
                if loaded.family == "rule":
                    said = self._declared(wanted, frame, loaded)
                else:
                    said = self._targets.addresses(frame, loaded)
                    addresses += [(frame, loaded, address) for address in usable(said)]
                asked.append((loaded, said))
        self._targets.load(addresses)
        for frame, loaded, address in addresses:
            for target in self._targets.of(frame, loaded, [address]):
                self._needed(wanted, frame, target)
        self._knowing.load(wanted)

    def _declared(
        self, wanted: Wanted, frame: Frame, loaded: LoadedPlugin, target: Target | None = None
    ) -> Any:
        """What a plugin declares about a touchpoint, which is added to *wanted*; or its trouble."""

        def needs() -> Any:
            if target is None:
                return loaded.plugin.needs(frame.touchpoint)
            return loaded.plugin.needs(frame.touchpoint, self._targets.instance(target))

        declared = self._shared.calls.attempt("needs", needs, check=self._knowing.declared)
        for read in usable(declared):
            wanted[type(read)].append((frame.tenant, loaded.name, read))
        return declared

    def _needed(self, wanted: Wanted, frame: Frame, target: Target) -> Any:
        """What a mechanic declares for an instance, asked again when the state has changed."""
        key = (frame, target.ref)
        version = 0 if target.row is None else target.row.version
        there = self._needs.get(key)
        if there is None or there[0] != version:
            declared = self._declared(wanted, frame, target.loaded, target)
            there = self._needs[key] = (version, declared)
        return there[1]

    # --- one touchpoint ------------------------------------------------------------------

    def decide(self, frame: Frame) -> None:
        """Ask everybody with the state as it is, then apply all decisions in order."""
        said: list[tuple[Author, Target | None, Decision]] = []
        now, calls = self._now_of(frame), self._shared.calls
        if frame.decided is not None:
            loaded, decision = frame.decided
            said.append((Author(loaded, now(loaded)), None, decision))
        for loaded, found in self._asked.pop(frame):
            if not calls.is_asked(loaded):
                continue
            well, listed = calls.counted(loaded, found)
            if not well:
                continue
            slow = type(found) is Trouble
            if loaded.family != "rule":
                said += self._ask_mechanic(frame, loaded, listed, now, slow)
                continue
            author = Author(loaded, now(loaded), slow=slow)
            given = (frame.touchpoint, View(self._knowing, frame, loaded.name, listed), author.now)
            answer = calls.attempt("decide", loaded.plugin.decide, *given, check=a_decision)
            said += self._heard(author, None, answer)
        for author, target, decision in said:
            self._take(frame, author, target, decision)

    def _heard(
        self, author: Author, target: Target | None, answer: Any
    ) -> Sequence[tuple[Author, Target | None, Decision]]:
        """A decision to take, if there is one."""
        author.slow |= type(answer) is Trouble
        well, decision = self._shared.calls.counted(author.loaded, answer)
        if decision is not None:
            return ((author, target, decision),)
        if well and not author.slow:
            self._shared.calls.went_well(author.loaded)
        return ()

    def core(self, frame: Frame, plugin: str, reason: str, documents: list[dict[str, Any]]) -> None:
        """Apply and write down what the core itself decides."""
        self._applier.apply(frame, plugin, None, documents)
        frame.decisions.append(
            {"plugin": plugin, "code": "ok", "reason": reason, "effects": documents}
        )

    def _now_of(self, frame: Frame) -> Callable[[LoadedPlugin], Now]:
        """The time of a touchpoint, and each plugin's own chance."""
        touchpoint = frame.touchpoint
        at = touchpoint.received_at or touchpoint.occurred_at
        counts_at = touchpoint.occurred_at if frame.kind.witness is Witness.PLATFORM else at
        zone = self._shared.organisation.zone(frame.tenant, touchpoint.shop)
        seed = (self._shared.secret, frame.tenant.encode(), frame.by_key.encode())

        def now(loaded: LoadedPlugin) -> Now:
            chance = Chance(*seed, loaded.name.encode())
            return Now(at=at, counts_at=counts_at, zone=zone, chance=chance)

        return now

    def _ask_mechanic(
        self, frame: Frame, loaded: LoadedPlugin, addresses: Sequence[Any],
        now: Callable[[LoadedPlugin], Now], slow: bool,
    ) -> Iterator[tuple[Author, Target | None, Decision]]:  # fmt: skip
        for target in list(self._targets.of(frame, loaded, addresses)):
            author = Author(loaded, now(loaded), target.row, slow)
            if target.campaign is None:
                reason = f"there is no campaign {target.ref.campaign!r}"
                yield author, None, Decision(reason=reason, code="unknown_campaign")
                continue
            wanted: Wanted = defaultdict(list)
            needed = self._needed(wanted, frame, target)
            author.slow |= type(needed) is Trouble
            well, declared = self._shared.calls.counted(loaded, needed)
            if well:
                self._knowing.load(wanted)
                view = View(self._knowing, frame, loaded.name, declared)
                yield from self._heard(author, target, self._step(frame, author, target, view))

    def _step(self, frame: Frame, author: Author, target: Target, view: View) -> Any:
        plugin: Any = author.loaded.plugin
        instance, attempt = self._targets.instance(target), self._shared.calls.attempt
        given = (frame.touchpoint, view, author.now)
        if instance is None:
            return attempt("open", plugin.open, target.ref, target.campaign, *given, check=a_step)
        check: Callable[[Any], Any] = a_step
        if not is_frozen(plugin.State):
            check = self._unchanged(instance)
        if frame.touchpoint.kind == "timer.due":
            key = frame.touchpoint.payload.key
            return attempt("due", plugin.due, instance, key, *given, check=check)
        return attempt("act", plugin.act, instance, *given, check=check)

    def _unchanged(self, instance: Any) -> Callable[[Any], Any]:
        """A check that a state, which can be changed, was not."""
        dump = self._shared.codec.dump
        before = to_json(dump(instance.state))

        def check(step: Any) -> Any:
            if to_json(dump(instance.state)) != before:
                raise ContractError("changed the state that it was given")
            return a_step(step)

        return check

    # --- one decision --------------------------------------------------------------------

    def _take(
        self, frame: Frame, author: Author, target: Target | None, decision: Decision
    ) -> None:
        opened = None
        try:
            state = self._state(author, decision) if isinstance(decision, Step) else None
            if target is not None and target.row is None and state is not None:
                opened = author.instance = self._opened(frame, target, state[2])
            documents, proposed, emitted = self._write(frame, author, decision)
            answer = None if decision.answer is None else self._answer(decision.answer)
            self._applier.apply(frame, author.name, author.instance, documents)
        except GuardError as guard:
            self._forget(opened)
            self._refuse(frame, author, target, str(guard))
        except (StorageError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin's value may do anything
            self._forget(opened)
            shown = ContractError(str(error)) if isinstance(error, InvalidValueError) else error
            self._shared.calls.failed(author.loaded, "effects", shown)
            self._note(frame, author, target, "failed", "the plugin broke its contract", [], None)
            return
        else:
            self._commit(
                frame, author, target, decision, documents, proposed, emitted, state, answer
            )
        if not author.slow:
            self._shared.calls.went_well(author.loaded)

    def _commit(
        self, frame: Frame, author: Author, target: Target | None, decision: Decision,
        documents: list[dict[str, Any]], proposed: list[Proposed], emitted: list[Touchpoint[Any]],
        state: tuple[Any, Any, str] | None, answer: Any,
    ) -> None:  # fmt: skip
        frame.emitted += emitted
        self._know(proposed)
        for one in proposed:
            self._propose(one)
        stored = None
        row = author.instance
        if row is not None and isinstance(decision, Step) and target is not None:
            document = None
            if state is not None:
                row.typed, document, row.state = state
            if state is not None or (decision.closed and not row.closed):
                row.closed = int(decision.closed or row.closed)
                row.version += bool(row.base) or target.row is not None
            stored = {"state": document,
                      "version": row.version, "closed": bool(row.closed),
                      "campaign_version": row.campaign_version}  # fmt: skip
        everything = documents + [one.document for one in proposed]
        self._note(
            frame, author, target, decision.code, decision.reason, everything, stored, answer
        )

    def taken(self) -> list[Proposed]:
        """What was proposed and not taken yet, to be planned."""
        proposed, self._proposed, self.may_answer = self._proposed, [], False
        return proposed

    def _know(self, proposed: Sequence[Proposed]) -> None:
        """Load the words and names of who is written to; of the whole batch, the first time."""
        people = {(one.frame.tenant, one.person) for one in proposed if one.person is not None}
        missing = sorted(person for person in people if person not in self._work.identities)
        if missing:
            missing, self._people = [*missing, *self._people], []
            self._work.load_newest(schema.consent, missing)
            self._work.load_identities(missing)

    def _propose(self, one: Proposed) -> None:
        """Keep a message with the customer's word and names as of now: either may change later."""
        tenant, author = one.frame.tenant, one.author
        names = sorted(self._work.identities[tenant, one.person]) if one.person is not None else []
        # By the name that the customer first had and not by our id, so that the same history
        # gives the same key; with the secret, so that the key tells nobody the name.
        whom = key_of(self._shared.secret, *names[0][1:]) if names else one.person
        once = one.document["key"]
        one.document["key"] = author.key(tenant, whom, once)
        self._proposed.append(one)
        if one.message is None:
            return
        self.may_answer |= one.message.tell
        asked = Consents(CustomerId(one.person or 0))
        said = self._knowing.answer(tenant, author.name, asked, 0)
        one.consents = {(consent.channel, consent.purpose): consent.granted for consent in said}
        one.identities = tuple(names)

    def _write(self, frame: Frame, author: Author, decision: Decision) -> Any:
        named: set[Any] = {getattr(effect, "customer", None) for effect in decision.effects}
        named.discard(None)
        people = self._work.people_of(frame.tenant, named) if named else {}
        documents, proposed, emitted = [], [], []
        write = self._shared.documents
        for effect in decision.effects:
            if isinstance(effect, Propose | Request):
                proposed.append(write.send(effect, frame, author, people))
            elif isinstance(effect, Emit):
                document, touchpoint = write.emit(effect, frame, author, people)
                documents.append(document)
                emitted.append(touchpoint)
            else:
                documents.append(write.write(effect, frame, author, people))
        return documents, proposed, emitted

    def _opened(self, frame: Frame, target: Target, state: str) -> InstanceRow:
        if self._work.instances.get((frame.tenant, target.ref)) is not None:
            raise GuardError("an instance of that key exists")
        assert target.campaign is not None
        row = InstanceRow(
            self._shared.ids.take(), frame.tenant, target.ref.plugin, target.ref.campaign,
            target.ref.key, target.campaign.version, state, 1, 0, frame.received_us,
        )  # fmt: skip
        self._work.add_instance(row)
        return row

    def _forget(self, row: InstanceRow | None) -> None:
        if row is not None:
            self._work.drop_instance(row)

    def _state(self, author: Author, decision: Step[Any]) -> tuple[Any, Any, str] | None:
        """A step's state: as it is if nobody can change it, as a document and as text."""
        if decision.state is None:
            return None
        kind = author.loaded.plugin.State
        if not isinstance(decision.state, kind):
            raise InvalidValueError(
                f"the state is a {type(decision.state).__name__}, not a {kind.__name__}"
            )
        document = self._shared.codec.dump(decision.state)
        typed = decision.state if is_frozen(kind) else None
        return typed, document, text_of(document)

    def _answer(self, answer: Any) -> Any:
        document = thawed(self._shared.codec.dump(answer))
        if not isinstance(document, dict):
            raise InvalidValueError("an answer is an attrs value or a mapping")
        text_of(document)
        return document

    def _refuse(self, frame: Frame, author: Author, target: Target | None, reason: str) -> None:
        author.instance = target.row if target is not None else None
        self._note(frame, author, target, "guard", reason, [], None)

    def _note(
        self, frame: Frame, author: Author, target: Target | None, code: str, reason: str,
        effects: list[Any], stored: Any, answer: Any = None,
    ) -> None:  # fmt: skip
        document: dict[str, Any] = {
            "plugin": author.name,
            "code": code[:64],
            "reason": reason[:300],
        }
        if target is not None:
            document["instance"] = [target.ref.campaign, target.ref.key]
        if effects:
            document["effects"] = effects
        if stored is not None:
            document["step"] = stored
        if answer is not None:
            document["answer"] = answer
        frame.decisions.append(document)
