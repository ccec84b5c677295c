"""A client that we did not write, wechatpy, works against the sandbox unchanged."""

from __future__ import annotations

import pytest
import requests
from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient, parse_message
from wechatpy.work.crypto import WeChatCrypto

PLATFORM = "https://qyapi.weixin.qq.com"


class Redirect(requests.adapters.HTTPAdapter):
    """Sends to the sandbox what is meant for the platform: the address is all that changes."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def send(self, request, **options):
        request.url = request.url.replace(PLATFORM, self.url)
        return super().send(request, **{**options, "proxies": {}})


@pytest.fixture
def client(sandbox):
    client = WeChatClient(sandbox.corp_id, sandbox.secret)
    client._http.trust_env = False
    client._http.mount(PLATFORM, Redirect(sandbox.url))
    return client


@pytest.fixture
def contacts(client):
    return client.external_contact


def errcode(call, *arguments, **more):
    with pytest.raises(WeChatClientException) as caught:
        call(*arguments, **more)
    return caught.value.errcode


def test_it_fetches_a_token_again_when_its_own_was_revoked(client, contacts, sandbox):
    first = client.access_token
    sandbox.inject("token_revoked", path="*/get_follow_user_list")

    answer = contacts.get_follow_user_list()

    assert answer["follow_user"] == ["zhangsan", "lisi", "wangwu"]
    assert client.access_token != first


def test_it_makes_changes_lists_and_deletes_contact_ways(contacts):
    config_id = contacts.add_contact_way(type=2, scene=2, user=["zhangsan", "lisi"], state="shop-1", remark="门店一")[
        "config_id"
    ]

    contacts.update_contact_way(config_id, "门店二", user=["lisi"])
    way = contacts.get_contact_way(config_id)["contact_way"]
    assert (way["remark"], way["user"], way["state"]) == ("门店二", ["lisi"], "shop-1")

    contacts.del_contact_way(config_id)
    assert errcode(contacts.get_contact_way, config_id) == 41044


def test_it_reads_customers_one_by_one_and_in_pages(contacts, sandbox):
    assert errcode(contacts.list, "lisi") == 84061
    added = [sandbox.add_contact("lisi")["external_userid"] for _ in range(5)]

    assert contacts.list("lisi")["external_userid"] == added
    assert contacts.get(added[0])["external_contact"]["external_userid"] == added[0]
    paged = contacts.gen_all_by_user("lisi", limit=2)
    assert [row["external_contact"]["external_userid"] for row in paged] == added


def test_it_makes_tags_and_marks_with_them(contacts, sandbox):
    group = contacts.add_corp_tag(None, "Level", 1, [{"name": "Gold"}, {"name": "Silver"}])
    gold, silver = (tag["id"] for tag in group["tag_group"]["tag"])
    customer = sandbox.add_contact("lisi")["external_userid"]

    contacts.mark_tag("lisi", customer, add_tag=[gold, silver])
    contacts.edit_corp_tag(gold, name="Platinum")
    contacts.del_corp_tag(tag_id=[silver])

    [follow] = contacts.get(customer)["follow_user"]
    assert [tag["tag_name"] for tag in follow["tags"]] == ["Platinum"]
    [listed] = contacts.get_corp_tag_list()["tag_group"]
    assert [tag["name"] for tag in listed["tag"]] == ["Platinum"]


def test_it_welcomes_a_customer_once(contacts, sandbox):
    code = sandbox.add_contact("lisi")["welcome_code"]
    template = {"welcome_code": code, "text": {"content": "你好"}}

    assert contacts.send_welcome_msg(template)["errcode"] == 0
    assert errcode(contacts.send_welcome_msg, template) == 41051


def test_it_decrypts_what_the_sandbox_calls_back(sandbox, receiver):
    sandbox.add_contact("lisi", state="link-1")
    assert sandbox.callbacks.wait_idle()

    crypto = WeChatCrypto(sandbox.token, sandbox.encoding_aes_key, sandbox.corp_id)
    [(query, body)] = receiver.posts
    xml = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])

    assert parse_message(xml)._data["State"] == "link-1"
