"""Whatever happens in whatever order, a group keeps its promises."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from group_buy_stories import PRICE, Story
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scrmkit.domain.kinds import OrderCancelled, OrderPaid, OrderRefunded
from scrmkit_group_buy import Overflow, Phase, SeatStatus, Shipment, Tier

PEOPLE = st.integers(1, 8)
TIERS = (Tier(size=4, price_fen=4_000), Tier(size=5, price_fen=3_500))
RULES = st.fixed_dictionaries(
    {
        "size": st.integers(2, 3),
        "pay_within": st.sampled_from([timedelta(minutes=15), timedelta(hours=20)]),
        "per_order": st.integers(1, 2),
        "per_customer": st.integers(2, 4),
        "one_open": st.booleans(),
        "stock": st.sampled_from([None, 4, 7]),
        "tiers": st.sampled_from([(), TIERS]),
        "virtual_fill": st.booleans(),
        "min_real_percent": st.sampled_from([1, 60, 100]),
        "overflow": st.sampled_from(list(Overflow)),
    }
)
STATUSES = st.sampled_from(["accepted", "delivered", "dead", "unknown"])
MINUTES = st.sampled_from([1, 14, 16, 200, 1_430, 1_442])


class GroupBuyMachine(RuleBasedStateMachine):
    """People, timers and the payment platform in any order."""

    @initialize(rules=RULES, seed=st.binary(max_size=4))
    def open_the_campaign(self, rules, seed):
        self.story = Story(seed, **rules)
        self.rules = self.story.campaigns["c1"].rules
        self.units: dict[str, int] = {}
        self.taken: Counter[str] = Counter()
        self.elsewhere: Counter[str] = Counter()
        self.ended: dict[str, Phase] = {}
        self.groups = 0

    # --- people --------------------------------------------------------------------------

    @rule(leader=PEOPLE, units=st.integers(1, 2), pays=st.booleans())
    def start(self, leader, units, pays):
        self.groups += 1
        no = self.new_order(units)
        decision = self.story.start(leader, f"g{self.groups}", no=no, quantity=units)
        if pays and decision.code == "ok":
            self.money(no, PRICE * units, 0)

    @precondition(lambda self: self.open_groups())
    @rule(data=st.data(), member=PEOPLE, units=st.integers(1, 2), pays=st.booleans())
    def join(self, data, member, units, pays):
        key = data.draw(st.sampled_from(self.open_groups()))
        no = self.new_order(units)
        decision = self.story.join(member, key, no=no, quantity=units)
        if pays and decision.code == "ok":
            self.money(no, PRICE * units, 0)

    @precondition(lambda self: self.open_groups())
    @rule(data=st.data())
    def everybody_joins_and_pays(self, data):
        key = data.draw(st.sampled_from(self.open_groups()))
        for member in range(9, 9 + self.rules.seats):
            no = self.new_order(1)
            if self.story.join(member, key, no=no).code == "ok":
                self.money(no, PRICE, 0)

    @precondition(lambda self: self.open_groups())
    @rule(data=st.data(), member=PEOPLE)
    def leave(self, data, member):
        self.story.leave(member, data.draw(st.sampled_from(self.open_groups())))

    @rule(kept=PEOPLE, moved=PEOPLE)
    def merge(self, kept, moved):
        self.story.merge(kept, moved)

    # --- the payment platform ------------------------------------------------------------

    @precondition(lambda self: self.units)
    @rule(data=st.data(), enough=st.booleans(), ago=st.sampled_from([0, 30, 90, 4_000]))
    def pay(self, data, enough, ago):
        no = data.draw(st.sampled_from(sorted(self.units)))
        price = PRICE * self.units[no]
        self.money(no, price if enough else price - 1, ago)

    @precondition(lambda self: self.units)
    @rule(data=st.data())
    def cancel(self, data):
        no = data.draw(st.sampled_from(sorted(self.units)))
        self.story.record("order.cancelled", OrderCancelled(order_no=no))

    @precondition(lambda self: +self.taken)
    @rule(data=st.data(), part=st.booleans(), number=st.integers(0, 999))
    def refund(self, data, part, number):
        no = data.draw(st.sampled_from(sorted(self.taken)))
        seat = self.seat(no)
        fen = seat.left_fen // 2 if part else seat.left_fen
        if fen:
            self.elsewhere[no] += fen
            refund = OrderRefunded(order_no=no, refund_no=f"host-{number}", amount_fen=fen)
            self.story.record("order.refunded", refund)

    @precondition(lambda self: self.story.requests)
    @rule(data=st.data(), status=STATUSES)
    def answer(self, data, status):
        self.story.answer(data.draw(st.sampled_from(sorted(self.story.requests))), status)

    @precondition(lambda self: self.units)
    @rule(data=st.data())
    def ship(self, data):
        no = data.draw(st.sampled_from(sorted(self.units)))
        decision = self.story.record("group-buy.shipment_requested", Shipment(order_no=no))
        if decision is not None and decision.code == "ok":
            assert self.seat(no).status is SeatStatus.PAID
            assert self.group(no).phase is Phase.SUCCEEDED

    # --- time ----------------------------------------------------------------------------

    @rule(minutes=MINUTES)
    def time_passes(self, minutes):
        self.story.advance(minutes=minutes)

    @rule(minutes=MINUTES)
    def time_passes_and_nothing_runs(self, minutes):
        self.story.sleep(minutes=minutes)

    @precondition(lambda self: self.story.due())
    @rule(data=st.data())
    def something_overdue_runs(self, data):
        self.story.fire(data.draw(st.sampled_from([name for _, name in self.story.due()])))

    # --- promises ------------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self):
        if hasattr(self, "story"):
            assert self.story.violations() == []
            assert "guard" not in {decision.code for decision in self.story.said}

    @invariant()
    def an_end_is_an_end(self):
        if not hasattr(self, "story"):
            return
        for ref, instance in self.story.instances.items():
            assert self.ended.get(ref.key, instance.state.phase) is instance.state.phase
            if instance.closed:
                self.ended[ref.key] = instance.state.phase

    @invariant()
    def all_that_was_paid_is_somewhere(self):
        if not hasattr(self, "story"):
            return
        every = [seat for state in self.states() for seat in state.seats]
        seats = {seat.order_no: seat for seat in every if seat.paid_fen}
        assert {no: seat.paid_fen for no, seat in seats.items()} == dict(+self.taken)
        for no, seat in seats.items():
            asked = [
                request.body.amount_fen for _, request in self.story.requests.values() if request.body.order_no == no
            ]
            assert sum(asked) == seat.asked_fen
            assert sum(asked) + self.elsewhere[no] <= seat.paid_fen
            if seat.status is SeatStatus.PAID:
                assert self.group(no).phase in {Phase.OPEN, Phase.SUCCEEDED}
            else:
                assert sum(asked) + self.elsewhere[no] == seat.paid_fen

    @invariant()
    def seats_and_stock_agree_with_the_members(self):
        if not hasattr(self, "story"):
            return
        held = used = 0
        for ref, instance in self.story.instances.items():
            state = instance.state
            if not instance.closed:
                seats = self.story.stock(f"seats/{ref.key}")
                statuses = Counter(seat.status for seat in state.seats)
                assert seats.used == statuses[SeatStatus.PAID]
                assert seats.held <= statuses[SeatStatus.HELD]
            used += sum(s.quantity for s in state.of_status(SeatStatus.PAID))
            held += sum(s.quantity for s in state.of_status(SeatStatus.HELD))
        stock = self.story.stock("stock")
        if stock is not None:
            assert stock.used == used
            assert stock.held <= held

    def teardown(self):
        if not hasattr(self, "story"):
            return
        self.story.advance(days=60)
        self.nothing_is_broken()
        self.all_that_was_paid_is_somewhere()
        assert all(instance.closed for instance in self.story.instances.values())
        assert self.story.world.timers == {}
        assert not any(
            self.story.stock(resource).held
            for _, resource in self.story.world.capacity
            if not resource.startswith("units/")
        )

    # --- helpers -------------------------------------------------------------------------

    def money(self, no, fen, ago):
        paid = OrderPaid(order_no=no, amount_fen=fen, quantity=self.units[no])
        moment = self.story.now - timedelta(seconds=ago)
        before = self.taken[no]
        decision = self.story.record("order.paid", paid, None, moment)
        if decision is not None and decision.code != "paid" and not before:
            self.taken[no] = fen

    def new_order(self, units):
        no = f"o{len(self.units)}"
        self.units[no] = units
        return no

    def open_groups(self):
        if not hasattr(self, "story"):
            return []
        return [ref.key for ref, each in self.story.instances.items() if not each.closed]

    def states(self):
        return [instance.state for instance in self.story.instances.values()]

    def group(self, no):
        """The group in which an order is now."""
        return next(
            state
            for state in self.states()
            if (seat := state.seat(no)) is not None and seat.status is not SeatStatus.MOVED
        )

    def seat(self, no):
        return self.group(no).seat(no)


TestGroupBuy = GroupBuyMachine.TestCase
TestGroupBuy.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
