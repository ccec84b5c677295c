"""Whatever happens in whatever order, a bargain keeps its promises."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from bargain_stories import Story
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scrmkit_bargain import CutMode, CutStore, OrderStatus, Phase, StockHold, Success

PEOPLE = st.integers(1, 7)
KEYS = st.sampled_from([f"b{number}" for number in range(1, 9)])
MODES = st.one_of(
    st.fixed_dictionaries(
        {"cut": st.sampled_from([CutMode.DOUBLE_MEAN, CutMode.PERCENT]), "helpers": st.integers(2, 5)}
    ),
    st.fixed_dictionaries(
        {
            "cut": st.just(CutMode.RANGE),
            "range_low_fen": st.just(1_000),
            "range_high_fen": st.integers(1_000, 9_000),
            "helpers": st.integers(2, 4),
            "success": st.sampled_from(list(Success)),
        }
    ),
)
RULES = st.fixed_dictionaries(
    {
        "stock": st.integers(1, 3),
        "buy_at_any_price": st.booleans(),
        "self_cut": st.booleans(),
        "store": st.sampled_from(list(CutStore)),
        "stock_hold": st.sampled_from(list(StockHold)),
        "wins_per_customer": st.integers(1, 2),
        "open_per_customer": st.integers(1, 2),
        "new_helper_weight": st.integers(1, 2),
        "order_within": st.just(timedelta(hours=5)),
    }
)
BACK = {OrderStatus.REFUNDING, OrderStatus.REFUNDED, OrderStatus.REFUND_FAILED}


class BargainMachine(RuleBasedStateMachine):
    """People, timers and the payment platform in any order."""

    @initialize(rules=RULES, mode=MODES, seed=st.binary(max_size=4))
    def open_the_campaign(self, rules, mode, seed):
        self.story = Story(seed, **rules, **mode)
        self.rules = self.story.campaigns["c1"].rules
        self.merged = False
        self.placed: list[str] = []
        self.paid: Counter[str] = Counter()

    @rule(owner=PEOPLE, key=KEYS)
    def start(self, owner, key):
        self.story.start(owner, key)

    @rule(key=KEYS)
    def everybody_helps(self, key):
        for friend in range(1, 9):
            self.help(friend, key)

    def a_bargain(self, data):
        running = [ref.key for ref, each in self.story.instances.items() if not each.closed]
        return data.draw(st.sampled_from(running or [ref.key for ref in self.story.instances]))

    @rule(friend=PEOPLE, key=KEYS)
    def help(self, friend, key):
        before = self.story.instances.get(self.ref(key))
        decision = self.story.help(friend, key=key)
        if decision is None or decision.code != "ok":
            return
        assert before.state.phase is Phase.BARGAINING
        assert self.story.now < before.state.ends_at
        assert decision.answer.cut_fen >= 1

    @precondition(lambda self: self.story.instances)
    @rule(data=st.data(), stranger=st.booleans(), price=st.sampled_from([None, 0, 500, 50_000]))
    def order(self, data, stranger, price):
        key = self.a_bargain(data)
        owner = data.draw(PEOPLE) if stranger else self.story.instances[self.ref(key)].state.owner
        no = f"o{len(self.placed)}"
        decision = self.story.order(no, owner, key, shop_price_fen=price)
        if decision is not None and decision.code == "ok":
            self.placed.append(no)

    @precondition(lambda self: self.story.instances)
    @rule(data=st.data(), again=st.booleans())
    def win_and_order(self, data, again):
        key = self.a_bargain(data)
        self.everybody_helps(key)
        self.order(data, stranger=False, price=None)
        if again and self.placed:
            self.story.cancel(self.placed[-1])

    @precondition(lambda self: self.placed)
    @rule(data=st.data(), enough=st.booleans())
    def pay(self, data, enough):
        no = data.draw(st.sampled_from(self.placed))
        price = next(order.price_fen for order in self.orders() if order.order_no == no)
        fen = price if enough else max(0, price - 1)
        decision = self.story.pay(no, fen, owner=None)
        self.paid[no] += decision.code != "paid"

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def cancel(self, data):
        self.story.cancel(data.draw(st.sampled_from(self.placed)))

    @precondition(lambda self: self.paid)
    @rule(data=st.data(), part=st.booleans(), number=st.integers(0, 99))
    def refund(self, data, part, number):
        no = data.draw(st.sampled_from(sorted(self.paid)))
        fen = next(order.paid_fen for order in self.orders() if order.order_no == no)
        if fen > 1:
            self.story.refund(no, fen // 2 if part else fen, f"host-{number}")

    @precondition(lambda self: self.story.requests)
    @rule(data=st.data(), status=st.sampled_from(["accepted", "delivered", "dead", "unknown"]))
    def answer(self, data, status):
        self.story.answer(data.draw(st.sampled_from(sorted(self.story.requests))), status)

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def deliver(self, data):
        self.story.deliver(data.draw(st.sampled_from(self.placed)))

    @precondition(lambda self: self.story.instances)
    @rule(data=st.data())
    def withdraw(self, data):
        self.story.withdraw(self.a_bargain(data))

    @rule(kept=PEOPLE, moved=PEOPLE)
    def merge(self, kept, moved):
        self.merged = True
        self.story.merge(kept, moved)

    @rule(minutes=st.sampled_from([1, 119, 122, 310, 1_440]))
    def time_passes(self, minutes):
        self.story.advance(minutes=minutes)

    @rule(minutes=st.sampled_from([1, 119, 122, 310, 1_440]))
    def time_passes_and_nothing_runs(self, minutes):
        self.story.sleep(minutes=minutes)

    @precondition(lambda self: self.story.due())
    @rule(data=st.data())
    def something_overdue_runs(self, data):
        self.story.fire(data.draw(st.sampled_from([name for _, name in self.story.due()])))

    @invariant()
    def nothing_is_broken(self):
        if not hasattr(self, "story"):
            return
        assert self.story.violations() == []
        assert "guard" not in {decision.code for decision in self.story.said}

    @invariant()
    def stock_and_sales_agree(self):
        if not hasattr(self, "story"):
            return
        stock = self.story.stock("stock")
        used, held = (0, 0) if stock is None else (stock.used, stock.held)
        phases = Counter(state.phase for state in self.states())
        assert used == phases[Phase.PAID] + phases[Phase.FULFILLED]
        assert used + held <= self.rules.stock

    @invariant()
    def every_fen_paid_bought_something_or_goes_back(self):
        if not hasattr(self, "story"):
            return
        for order in self.orders():
            assert self.paid[order.order_no] == (order.status not in {"open", "lapsed"})
            asked = self.story.requests.get(order.refund_no)
            if asked is not None:
                assert order.status in BACK
                assert asked[1].body.amount_fen == order.paid_fen

    @invariant()
    def the_cuts_are_those_that_were_answered(self):
        if not hasattr(self, "story"):
            return
        for ref, instance in self.story.instances.items():
            helps = [part.data["cut_fen"] for key, part in self.story.world.parts.items() if key[:2] == (ref, "helper")]
            state = instance.state
            assert len(helps) == state.friends
            assert state.cut_fen >= sum(helps)
            if not self.rules.self_cut:
                assert state.cut_fen == sum(helps)

    @invariant()
    def nobody_wins_too_often(self):
        if not hasattr(self, "story") or self.merged:
            return
        sold = Counter(state.owner for state in self.states() if state.phase in {"paid", "fulfilled"})
        assert max(sold.values(), default=0) <= self.rules.wins_per_customer

    def teardown(self):
        if not hasattr(self, "story"):
            return
        self.story.advance(days=60)
        self.nothing_is_broken()
        self.stock_and_sales_agree()
        assert all(instance.closed for instance in self.story.instances.values())
        assert self.story.world.timers == {}
        stock = self.story.stock("stock")
        assert stock is None or stock.held == 0

    def states(self):
        return [instance.state for instance in self.story.instances.values()]

    def orders(self):
        return [order for state in self.states() for order in state.orders]

    def ref(self, key):
        return next((ref for ref in self.story.instances if ref.key == key), None)


TestBargain = BargainMachine.TestCase
TestBargain.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
