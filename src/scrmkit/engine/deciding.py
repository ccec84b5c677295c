"""Asks the plugins that a touchpoint concerns, and applies what they decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Decision, Now, Step
from scrmkit.domain.effects import Emit, Propose, Request
from scrmkit.domain.touchpoint import Witness
from scrmkit.engine.apply import Applier
from scrmkit.engine.calls import Calls, ContractError, a_decision, a_step, usable
from scrmkit.engine.campaigns import Campaigns
from scrmkit.engine.documents import Documents
from scrmkit.engine.forms import text_of
from scrmkit.engine.frame import Author, Frame, GuardError, Proposed, Target, key_of
from scrmkit.engine.knowing import Knowing, View, Wanted
from scrmkit.engine.organisation import Organisation
from scrmkit.engine.rows import InstanceRow, Person
from scrmkit.engine.targets import Interests, Targets
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError, StorageError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, is_frozen, thawed, to_json
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

    def now_of(self, frame: Frame) -> Callable[..., Now]:
        """The time of a touchpoint, and a chance of its own for each name."""
        touchpoint = frame.touchpoint
        at = touchpoint.received_at or touchpoint.occurred_at
        counts_at = touchpoint.occurred_at if frame.kind.witness is Witness.PLATFORM else at
        zone = self.organisation.zone(frame.tenant, touchpoint.shop)
        seed = (self.secret, frame.tenant.encode(), frame.by_key.encode())

        def now(name: str = "") -> Now:
            return Now(at=at, counts_at=counts_at, zone=zone, chance=Chance(*seed, name.encode()))

        return now


class Deciding:
    """Deciding over one working set."""

    def __init__(self, shared: Shared, work: WorkSet, knowing: Knowing) -> None:
        self._shared = shared
        self._calls = shared.calls
        self._work = work
        self._knowing = knowing
        self._applier = Applier(work, shared.ids)
        self._targets = Targets(work, shared.calls, shared.campaigns, shared.codec)
        self._needs: dict[tuple[Frame, InstanceRef], tuple[int, Any]] = {}
        self._people: list[Person] = []
        self._proposed: list[Proposed] = []
        self.may_answer = False

    # --- before: what must be loaded -----------------------------------------------------

    def prefetch(self, frames: Sequence[Frame]) -> None:
        """
        Load for all *frames* at once what they lead to, then what their plugins need.

        What goes wrong is counted when the turn of its touchpoint comes.
        """
        people = [(frame.tenant, frame.person) for frame in frames if frame.person is not None]
        self._people = self._people or people
        self._knowing.here.update(people)
        wanted: Wanted = defaultdict(list)
        addresses = []
        for frame in frames:
            for loaded in self._shared.interests.of(frame.touchpoint):
                if not self._calls.is_asked(loaded):
                    continue
                if loaded.family == "rule":
                    needs = loaded.plugin.needs
                    said = self._declared(wanted, frame, loaded, needs, frame.touchpoint)
                else:
                    said = self._targets.addresses(frame, loaded)
                    addresses += [(frame, loaded, address) for address in usable(said)]
                frame.asked.append((loaded, said))
        self._targets.load(addresses)
        for frame, loaded, address in addresses:
            for target in self._targets.of(frame, loaded, [address]):
                self._needed(wanted, frame, target)
        self._knowing.load(wanted)

    def _declared(self, wanted: Wanted, frame: Frame, loaded: LoadedPlugin, needs: Any, *given: Any) -> Any:
        """What a plugin declares about a touchpoint, which is added to *wanted*; or its trouble."""
        said = self._calls.attempt("needs", self._knowing.declared, needs, *given)
        declared = usable(said)
        for read in declared:
            wanted[type(read)].append((frame.tenant, loaded.name, read, declared))
        return said

    def _needed(self, wanted: Wanted, frame: Frame, target: Target) -> Any:
        """What a mechanic declares for an instance, asked again when the state has changed."""
        key = (frame, target.ref)
        version = 0 if target.row is None else target.row.version
        there = self._needs.get(key)
        if there is None or there[0] != version:

            def needs() -> Any:
                return target.loaded.plugin.needs(frame.touchpoint, self._targets.instance(target))

            declared = self._declared(wanted, frame, target.loaded, needs)
            there = self._needs[key] = (version, declared)
        return there[1]

    # --- one touchpoint ------------------------------------------------------------------

    def decide(self, frame: Frame) -> None:
        """Ask everybody with the state as it is, then apply all decisions in order."""
        said: list[tuple[Author, Decision]] = []
        now_of, calls = self._shared.now_of(frame), self._calls
        if frame.decided is not None:
            loaded, decision = frame.decided
            said.append((Author(loaded, now_of(loaded.name)), decision))
        for loaded, found in frame.asked:
            if not calls.is_asked(loaded):
                continue
            well, listed = calls.counted(loaded, found)
            if not well:
                continue
            slow, now = found is not listed, now_of(loaded.name)
            if loaded.family != "rule":
                for target in list(self._targets.of(frame, loaded, listed)):
                    said += self._ask(frame, target, now, slow)
                continue
            view = View(self._knowing, frame, loaded.name, listed)
            given = (loaded.plugin.decide, frame.touchpoint, view, now)
            said += self._heard(calls.attempt("decide", a_decision, *given), slow, loaded, now)
        for author, decision in said:
            self._take(frame, author, decision)

    def _heard(
        self, answer: Any, slow: bool, loaded: LoadedPlugin, now: Now, *target: Target
    ) -> Sequence[tuple[Author, Decision]]:
        """A decision to take, if there is one."""
        well, decision = self._calls.counted(loaded, answer)
        slow = slow or answer is not decision
        if decision is not None:
            return ((Author(loaded, now, slow, *target), decision),)
        if well and not slow:
            self._calls.went_well(loaded)
        return ()

    def _ask(self, frame: Frame, target: Target, now: Now, slow: bool) -> Sequence[tuple[Author, Decision]]:
        """What a mechanic decides about one instance."""
        loaded = target.loaded
        if target.campaign is None:
            reason = f"there is no campaign {target.ref.campaign!r}"
            nothing = Decision(reason=reason, code="unknown_campaign")
            return ((Author(loaded, now, slow, target), nothing),)
        wanted: Wanted = defaultdict(list)
        needed = self._needed(wanted, frame, target)
        well, declared = self._calls.counted(loaded, needed)
        if not well:
            return ()
        self._knowing.load(wanted)
        view = View(self._knowing, frame, loaded.name, declared)
        answer = self._step(frame, target, view, now)
        return self._heard(answer, slow or needed is not declared, loaded, now, target)

    def _step(self, frame: Frame, target: Target, view: View, now: Now) -> Any:
        plugin, instance = target.loaded.plugin, self._targets.instance(target)
        given: tuple[Any, ...] = (frame.touchpoint, view, now)
        attempt = self._calls.attempt
        if instance is None:
            return attempt("open", a_step, plugin.open, target.ref, target.campaign, *given)
        check = a_step if is_frozen(plugin.State) else self._unchanged(instance)
        if frame.touchpoint.kind == "timer.due":
            return attempt("due", check, plugin.due, instance, frame.touchpoint.payload.key, *given)
        return attempt("act", check, plugin.act, instance, *given)

    def _unchanged(self, instance: Any) -> Callable[[Any], Any]:
        """A check that a state, which can be changed, was not."""
        dump = self._shared.codec.dump
        before = to_json(dump(instance.state))

        def check(step: Any) -> Any:
            if to_json(dump(instance.state)) != before:
                raise ContractError("changed the state that it was given")
            return a_step(step)

        return check

    def core(self, frame: Frame, plugin: str, reason: str, documents: list[dict[str, Any]]) -> None:
        """Apply and write down what the core itself decides."""
        self._applier.apply(frame, plugin, None, documents)
        frame.decisions.append({"plugin": plugin, "code": "ok", "reason": reason, "effects": documents})

    # --- one decision --------------------------------------------------------------------

    def _take(self, frame: Frame, author: Author, decision: Decision) -> None:
        """Apply a decision whole, or write down why not."""
        opened = state = answer = None
        target = author.target
        try:
            if isinstance(decision, Step) and decision.state is not None:
                state = self._state(author, decision.state)
                if target is not None and target.row is None:
                    opened = author.instance = self._opened(frame, target, state[2])
            documents, proposed, emitted = self._write(frame, author, decision)
            if decision.answer is not None:
                answer = self._answer(decision.answer)
            self._applier.apply(frame, author.name, author.instance, documents)
        except GuardError as guard:
            if opened is not None:
                self._work.drop_instance(opened)
            _note(frame, author, "guard", str(guard))
        except (StorageError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin's value may do anything
            if opened is not None:
                self._work.drop_instance(opened)
            shown = ContractError(str(error)) if isinstance(error, InvalidValueError) else error
            self._calls.failed(author.loaded, "effects", shown)
            _note(frame, author, "failed", "the plugin broke its contract")
            return
        else:
            frame.emitted += emitted
            self._propose(proposed)
            documents += [one.document for one in proposed]
            step = _stepped(author, decision, state)
            more = {"effects": documents or None, "step": step, "answer": answer}
            _note(frame, author, decision.code, decision.reason, **more)
        if not author.slow:
            self._calls.went_well(author.loaded)

    def taken(self) -> list[Proposed]:
        """What was proposed and not taken yet, to be planned."""
        proposed, self._proposed, self.may_answer = self._proposed, [], False
        return proposed

    def _propose(self, proposed: Sequence[Proposed]) -> None:
        """Keep messages with the customer's word and names as of now: either may change later."""
        if not proposed:
            return
        work, shared = self._work, self._shared
        people = {(one.frame.tenant, one.person) for one in proposed if one.person is not None}
        missing = sorted(person for person in people if person not in work.identities)
        if missing:  # the first time, those of the whole batch
            missing, self._people = [*missing, *self._people], []
            work.load_newest(schema.consent, missing)
            work.load_identities(missing)
        for one in proposed:
            tenant, author = one.frame.tenant, one.author
            names = sorted(work.identities[tenant, one.person]) if one.person is not None else []
            # By the name that the customer first had and not by our id, so that the same history
            # gives the same key; with the secret, so that the key tells nobody the name.
            whom = key_of(shared.secret, *names[0][1:]) if names else one.person
            one.once = one.document["key"]
            one.document["key"] = author.key(tenant, whom, one.once)
            if one.message is not None:
                self.may_answer |= one.message.tell
                said = self._knowing.consents((tenant, one.person or 0))
                one.consents = {(word.channel, word.purpose): word.granted for word in said}
                one.identities = tuple(names)
        self._proposed += proposed

    def _write(self, frame: Frame, author: Author, decision: Decision) -> Any:
        named = [whom for effect in decision.effects if (whom := getattr(effect, "customer", None)) is not None]
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

    def _state(self, author: Author, state: Any) -> tuple[Any, Any, str]:
        """A step's state: as it is if nobody can change it, as a document and as text."""
        kind = author.loaded.plugin.State
        if not isinstance(state, kind):
            raise InvalidValueError(f"the state is a {type(state).__name__}, not a {kind.__name__}")
        document = self._shared.codec.dump(state)
        return state if is_frozen(kind) else None, document, text_of(document)

    def _answer(self, answer: Any) -> Any:
        document = thawed(self._shared.codec.dump(answer))
        if not isinstance(document, dict):
            raise InvalidValueError("an answer is an attrs value or a mapping")
        text_of(document)
        return document


def _stepped(author: Author, decision: Decision, state: tuple[Any, Any, str] | None) -> Any:
    """Move the instance on by a step; what is kept of that, None where there is no instance."""
    row, target, document = author.instance, author.target, None
    if row is None or target is None or not isinstance(decision, Step):
        return None
    if state is not None:
        row.typed, document, row.state = state
    if state is not None or (decision.closed and not row.closed):
        row.closed = int(decision.closed or row.closed)
        row.version += bool(row.base) or target.row is not None
    return {
        "state": document, "version": row.version, "closed": bool(row.closed),
        "campaign_version": row.campaign_version,
    }  # fmt: skip


def _note(frame: Frame, author: Author, code: str, reason: str, **more: Any) -> None:
    """Write a decision down; of *more* what there is."""
    document: dict[str, Any] = {"plugin": author.name, "code": code[:64], "reason": reason[:300]}
    if author.target is not None:
        document["instance"] = [author.target.ref.campaign, author.target.ref.key]
    document |= {name: value for name, value in more.items() if value is not None}
    frame.decisions.append(document)
