"""Chapter 2: customers scan contact ways; the platform calls back, and is answered in time."""

from __future__ import annotations

from datetime import timedelta

from scrmkit.domain.identity import EXTERNAL_USERID, Identity
from scrmkit.domain.kinds import Nothing
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit_demo.buying import member
from scrmkit_demo.plugins import MEMBER_BOUND, MemberBound
from scrmkit_demo.world import ENTRANCES, World, token_of
from scrmkit_wecom.api import Credentials
from scrmkit_wecom.bodies import AddContactWay
from scrmkit_wecom.client import WeComClient

SCANS = 30
ADDS = 24
LEAVES = 2


def people(world: World, customers: int) -> list[int]:
    """Which of the first so many *customers* come by, drawn from the seed."""
    found: dict[int, None] = {}
    for n in range(1000):
        found.setdefault(1 + world.invented.draw("scan", n, below=customers))
        if len(found) == SCANS:
            break
    return list(found)


def meet(world: World, customers: int) -> None:
    """Let customers scan, add, be welcomed and tagged; bind their member cards; two leave."""
    _provision(world)
    with world.progress("contacts", SCANS) as bar:
        for n, customer_id in enumerate(people(world, customers)):
            world.clock.advance(timedelta(minutes=3))
            entrance = ENTRANCES[n % len(ENTRANCES)][0]
            world.record(
                Touchpoint(
                    kind="entrance.scanned", key=f"scan:{customer_id}", source="mini-program",
                    occurred_at=world.clock.now(), payload=Nothing(),
                    identities=(member(customer_id),), state=token_of(entrance),
                )
            )  # fmt: skip
            if n < ADDS:
                _add(world, customer_id, entrance, leaves=n < LEAVES)
            bar.update(1)


def _provision(world: World) -> None:
    """Hire the guides at the platform and make a contact way for each entrance."""
    for guide in world.invented.guides:
        world.wecom.hire(guide.id, name=guide.name)
    given = world.wecom.credentials()
    client = WeComClient(
        Credentials(corp_id=given["corp_id"], secret=given["secret"]), world.clock, base_url=world.wecom.url
    )
    try:
        for name, _, shop in ENTRANCES:
            client.add_contact_way(AddContactWay(state=token_of(name), remark=name, user=(f"{shop}-1",)))
    finally:
        client.close()


def _add(world: World, customer_id: int, entrance: str, *, leaves: bool) -> None:
    who = world.invented.customer(customer_id)
    met = world.wecom.scan(state=token_of(entrance), name=who.name)
    world.wecom.callbacks.wait_idle()
    world.work()
    world.clock.advance(timedelta(minutes=1))
    external = Identity(kind=EXTERNAL_USERID, scope=world.corp_id, value=met["external_userid"])
    world.record(
        Touchpoint(
            kind=MEMBER_BOUND, key=f"wecom:{customer_id}", occurred_at=world.clock.now(),
            payload=MemberBound(where="wecom"), identities=(member(customer_id), external),
            source="mini-program",
        )
    )  # fmt: skip
    if leaves:
        world.clock.advance(timedelta(minutes=1))
        world.wecom.delete_contact(userid=met["userid"], external_userid=met["external_userid"], by="customer")
        world.work()
