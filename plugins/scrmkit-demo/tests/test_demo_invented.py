"""What is invented is the same for the same seed, whatever was asked before."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import date, time

import pytest

from scrmkit.errors import InvalidValueError
from scrmkit_demo.invented import TELLING_ENDINGS, ZONE, Invented, invent
from scrmkit_demo.orders import Order

IDS = range(1, 23_571)
CUSTOMERS = [invent(1).customer(n) for n in IDS]
PHONES = [customer.phone for customer in CUSTOMERS if customer.phone is not None]


def make_order(line: int = 2, customer_id: int = 1) -> Order:
    return Order(line=line, customer_id=customer_id, ordered_on=date(1997, 1, 1), quantity=1, amount_fen=1_177)


def test_the_order_of_asking_changes_nothing():
    shuffled = random.Random(5).sample(IDS, len(IDS))
    world = invent(1)

    asked = {n: world.customer(n) for n in shuffled}

    assert [asked[n] for n in IDS] == CUSTOMERS


def test_another_seed_invents_other_phones():
    other = {customer.phone for customer in map(invent(2).customer, IDS) if customer.phone}

    assert len(other.intersection(PHONES)) < 0.05 * len(PHONES)


def test_no_two_customers_share_a_phone():
    assert len(set(PHONES)) == len(PHONES)


def test_every_phone_has_the_mainland_form_in_the_unassigned_range():
    assert all(re.fullmatch(r"154\d{8}", phone) for phone in PHONES)


def test_most_customers_cannot_be_reached_by_sms():
    assert len(PHONES) < 0.25 * len(CUSTOMERS)
    assert 0.05 < sum(c.sms_consent for c in CUSTOMERS) / len(CUSTOMERS) < 0.20


def test_consent_is_never_given_without_a_phone():
    assert not [c for c in CUSTOMERS if c.sms_consent and c.phone is None]


def test_few_phones_end_in_digits_that_the_sandbox_does_not_deliver():
    endings = Counter(phone[-6:] for phone in PHONES)

    assert all(endings[suffix] > 0 for suffix in TELLING_ENDINGS)
    assert endings["990005"] == 0
    assert sum(endings[suffix] for suffix in TELLING_ENDINGS) < 0.04 * len(PHONES)


def test_most_orders_are_at_the_home_shop_and_few_at_the_other_brand():
    world = invent(1)
    brand = {shop.id: shop.brand_id for shop in world.shops}
    home = world.customer(1).home_shop_id

    shops = Counter(world.shop_of(make_order(line)).id for line in range(2, 2_002))

    assert shops[home] > 1_650
    assert 20 < sum(n for shop, n in shops.items() if brand[shop] != brand[home]) < 120


def test_there_are_two_brands_with_several_shops_each_and_guides_in_every_shop():
    world = invent(1)

    assert len(world.brands) == 2
    assert min(Counter(shop.brand_id for shop in world.shops).values()) >= 2
    assert {guide.shop_id for guide in world.guides} == {shop.id for shop in world.shops}
    assert {c.guide_id for c in CUSTOMERS} == {guide.id for guide in world.guides}


def test_an_order_falls_on_its_day_while_the_shops_are_open():
    world = invent(1)

    times = [world.ordered_at(make_order(line)) for line in range(2, 500)]

    assert {at.date() for at in times} == {date(1997, 1, 1)}
    assert all(at.tzinfo is ZONE and time(10) <= at.time() < time(20) for at in times)


def test_neither_name_nor_phone_is_in_the_repr():
    reachable = next(customer for customer in CUSTOMERS if customer.phone)

    assert reachable.name not in repr(reachable)
    assert str(reachable.phone) not in repr(reachable)


@pytest.mark.parametrize("customer_id", [0, -1, 10_000_000])
def test_an_id_that_would_repeat_a_phone_is_refused(customer_id):
    with pytest.raises(InvalidValueError, match="from 1 to"):
        invent(1).customer(customer_id)


def test_the_notes_name_the_seed():
    assert "seed 7" in " ".join(Invented(seed=7).notes)
