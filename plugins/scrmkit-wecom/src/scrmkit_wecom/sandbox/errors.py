"""How the platform says no."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

OK = 0
BUSY = -1
BAD_SECRET = 40001
BAD_CORPID = 40013
BAD_TOKEN = 40014
USER_COUNT = 40032
BAD_PARAMETER = 40058
EMPTY_PARAMETER = 40063
BAD_TAG = 40068
TAG_EXISTS = 40071
TAG_NAME_LENGTH = 40072
BAD_CUSTOMER = 40096
TAG_LIMIT = 40126
NO_TOKEN = 41001
NO_CORPID = 41002
NO_SECRET = 41004
NO_USERID = 41009
NO_CUSTOMER = 41035
NO_WAY_TYPE = 41037
NO_WAY_SCENE = 41038
BAD_WAY_TYPE = 41039
BAD_WAY_SCENE = 41040
WAY_MEMBERS = 41041
BAD_WAY_STYLE = 41042
NO_CONFIG_ID = 41043
BAD_CONFIG_ID = 41044
WAY_LIMIT = 41045
NO_WELCOME_CODE = 41049
BAD_WELCOME_CODE = 41050
WELCOME_DELIVERED = 41051
MEMBER_NOT_READY = 41054
ATTACHMENT_COUNT = 41064
ATTACHMENT_TYPE = 41065
WELCOME_BEING_SENT = 41096
TOKEN_EXPIRED = 42001
RATE_LIMIT = 45009
NO_PRIVILEGE = 60011
MEMBER_INVISIBLE = 60021
NO_MEMBER = 60111
BAD_DEPARTMENT = 60123
NOT_A_CONTACT = 84061
NO_CONTACT_FUNCTION = 84074
WRONG_AGENT = 301002

TEXTS: Mapping[int, str] = {
    BUSY: "system is busy",
    BAD_SECRET: "invalid credential",
    BAD_CORPID: "invalid corpid",
    BAD_TOKEN: "invalid access_token",
    USER_COUNT: "invalid userid list length",
    BAD_PARAMETER: "invalid request parameter",
    EMPTY_PARAMETER: "some parameters are empty",
    BAD_TAG: "invalid tagid",
    TAG_EXISTS: "tag name already exists",
    TAG_NAME_LENGTH: "invalid tag name length",
    BAD_CUSTOMER: "invalid external userid",
    TAG_LIMIT: "tag count out of limit",
    NO_TOKEN: "access_token missing",
    NO_CORPID: "corpid missing",
    NO_SECRET: "corpsecret missing",
    NO_USERID: "userid missing",
    NO_CUSTOMER: "external_userid missing",
    NO_WAY_TYPE: "contact way type missing",
    NO_WAY_SCENE: "contact way scene missing",
    BAD_WAY_TYPE: "invalid contact way type",
    BAD_WAY_SCENE: "invalid contact way scene",
    WAY_MEMBERS: "contact way member count out of limit",
    BAD_WAY_STYLE: "invalid contact way style",
    NO_CONFIG_ID: "contact way config_id missing",
    BAD_CONFIG_ID: "invalid contact way config_id",
    WAY_LIMIT: "contact way count out of limit",
    NO_WELCOME_CODE: "welcome_code missing",
    BAD_WELCOME_CODE: "invalid welcome_code",
    WELCOME_DELIVERED: "externaluser has started chatting",
    MEMBER_NOT_READY: "user is not activated or not verified",
    ATTACHMENT_COUNT: "attachments size out of limit",
    ATTACHMENT_TYPE: "invalid attachments msgtype",
    WELCOME_BEING_SENT: "welcome msg is being distributed",
    TOKEN_EXPIRED: "access_token expired",
    41063: "group msg is being distributed",
    RATE_LIMIT: "api freq out of limit",
    45033: "api concurrent out of limit",
    48002: "api forbidden",
    50003: "application is disabled",
    NO_PRIVILEGE: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip",
    MEMBER_INVISIBLE: "user is not in the visible range of this app",
    NO_MEMBER: "userid not found",
    BAD_DEPARTMENT: "invalid party id",
    NOT_A_CONTACT: "not external contact",
    NO_CONTACT_FUNCTION: "no external contact permission",
    WRONG_AGENT: "not allow operate another agent with this accesstoken",
}
"""Codes: WeCom API, 全局错误码 (path/90313), read 2026-11. The page says what a code
means; the English words are seen in clients' logs where known, else our own: only
the codes are the contract, and the platform changes the words at will."""


class ApiError(Exception):
    """
    The call fails with an errcode, as the platform would answer.

    Attributes:
        errcode: The platform's number.
        text: What stands at the start of ``errmsg``; names the parameter where there is one.
    """

    def __init__(self, errcode: int, detail: str = "") -> None:
        self.errcode = errcode
        words = TEXTS.get(errcode, "unknown error")
        self.text = f"{words}: {detail}" if detail else words
        super().__init__(self.text)


def errmsg(errcode: int, text: str, *, unix: int, number: int, ip: str = "127.0.0.1") -> str:
    """
    A whole ``errmsg``, with the hint and the link that the platform adds.

    Source: WeCom API, 回调配置 (path/90930, its sample), read 2026-11.
    """
    mark = hashlib.sha256(f"{unix}:{number}".encode()).hexdigest()[:32]
    return (
        f"{text}, hint: [{unix}_{number}_{mark}], from ip: {ip}, "
        f"more info at https://open.work.weixin.qq.com/devtool/query?e={errcode}"
    )
