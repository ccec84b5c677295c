"""What the platform would refuse is refused before it is sent."""

from __future__ import annotations

import pytest

from scrmkit.errors import InvalidValueError
from scrmkit_wecom.bodies import (
    AddContactWay,
    AddCorpTags,
    Attachment,
    AttachmentKind,
    DeleteCorpTags,
    EditCorpTag,
    MarkTag,
    NewTag,
    UpdateContactWay,
    Welcome,
)


def link(**fields):
    return Attachment(**{"kind": AttachmentKind.LINK, "title": "t", "url": "u", **fields})


def mini(**fields):
    base = {"kind": AttachmentKind.MINIPROGRAM, "title": "t", "pic_media_id": "m", "appid": "a"}
    return Attachment(**{**base, "page": "p", **fields})


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: Welcome(text="欢" * 1333 + "a" * n), id="a welcome of 4000 bytes"),
        pytest.param(lambda n: link(title="欢" * 42 + "a" * (n + 1)), id="a link's title of 128"),
        pytest.param(lambda n: link(description="a" * (511 + n)), id="a link's text of 512 bytes"),
        pytest.param(lambda n: mini(title="欢" * 21 + "a" * n), id="a mini-program's title of 64"),
        pytest.param(lambda n: Welcome(attachments=(link(),) * (8 + n)), id="nine attachments"),
        pytest.param(lambda n: AddContactWay(user=("u",), remark="🎉" * (29 + n)), id="a remark of 30"),
        pytest.param(lambda n: AddContactWay(user=("u",), state="欢" * (29 + n)), id="a state of 30"),
        pytest.param(lambda n: AddContactWay(type=2, user=("u",) * (99 + n)), id="100 members"),
        pytest.param(lambda n: NewTag(name="欢" * (29 + n)), id="a tag's name of 30"),
        pytest.param(lambda n: NewTag(name="t", order=2**32 - 2 + n), id="an order of 2**32 - 1"),
        pytest.param(
            lambda n: AddCorpTags(group_name="g" * (29 + n), tags=(NewTag(name="t"),)), id="a group's name of 30"
        ),
        pytest.param(lambda n: EditCorpTag(id="et", name="欢" * (29 + n)), id="a new name of 30"),
        pytest.param(lambda n: UpdateContactWay(config_id="c", state="a" * (29 + n)), id="a new state of 30"),
    ],
)
def test_a_limit_of_the_platform_is_kept_to_the_last_character(make):
    make(1)

    with pytest.raises(InvalidValueError, match=r"at most|takes 0 to"):
        make(2)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(AddContactWay, id="no member"),
        pytest.param(lambda: AddContactWay(user=("a", "b")), id="two members with type 1"),
        pytest.param(lambda: AddContactWay(user=("a",), party=(1,)), id="a party with type 1"),
        pytest.param(lambda: AddContactWay(type=2), id="nobody with type 2"),
        pytest.param(lambda: AddContactWay(type=3, user=("a",)), id="another type"),
        pytest.param(lambda: AddContactWay(user=("a",), style=1), id="a style for a QR code"),
        pytest.param(lambda: UpdateContactWay(config_id=""), id="no contact way"),
        pytest.param(lambda: Welcome(welcome_code="c").as_json(), id="nothing to say"),
        pytest.param(lambda: Welcome(text="t").as_json(), id="no code"),
        pytest.param(lambda: Welcome(text="\ud800"), id="half a surrogate pair"),
        pytest.param(lambda: Attachment(kind=AttachmentKind.IMAGE), id="an image without media"),
        pytest.param(lambda: Attachment(kind=AttachmentKind.VIDEO), id="a film without media"),
        pytest.param(lambda: link(url=""), id="a link without a target"),
        pytest.param(lambda: mini(page=""), id="a mini-program without a page"),
        pytest.param(lambda: AddCorpTags(group_name="g", tags=()), id="an empty group"),
        pytest.param(lambda: AddCorpTags(tags=(NewTag(name="t"),)), id="no group"),
        pytest.param(lambda: NewTag(name=""), id="a tag without a name"),
        pytest.param(DeleteCorpTags, id="nothing to delete"),
        pytest.param(lambda: MarkTag(userid="u", external_userid="wm1"), id="no tag"),
        pytest.param(lambda: MarkTag(userid="u", add_tag=("t",)).as_json(), id="no customer"),
        pytest.param(
            lambda: MarkTag(userid="u", external_userid="w", add_named=(("g", "n"),)).as_json(),
            id="a name that was not looked up",
        ),
    ],
)
def test_what_the_platform_would_refuse_is_refused_before_it_is_sent(make):
    with pytest.raises(InvalidValueError):
        make()


@pytest.mark.parametrize("count", [0, 101])
def test_members_of_a_batch_are_1_to_100(client, count):
    with pytest.raises(InvalidValueError, match="100"):
        list(client.batch_get_by_user(["u"] * count))
