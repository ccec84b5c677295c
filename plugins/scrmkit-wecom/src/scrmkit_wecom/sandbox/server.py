"""The API side of the sandbox: paths, tokens, and answers in the platform's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from scrmkit.testing.sandbox import Handler, Incoming, route
from scrmkit_wecom.sandbox import api_contacts, api_tags, api_ways
from scrmkit_wecom.sandbox.calling_back import AGENT_ID
from scrmkit_wecom.sandbox.contact_acts import ContactActs
from scrmkit_wecom.sandbox.corp import Corp
from scrmkit_wecom.sandbox.errors import (
    BAD_CORPID,
    BAD_SECRET,
    BUSY,
    NO_CORPID,
    NO_SECRET,
    OK,
    RATE_LIMIT,
    TEXTS,
    ApiError,
    errmsg,
)
from scrmkit_wecom.sandbox.fields import Call, read_call
from scrmkit_wecom.sandbox.office_acts import OfficeActs
from scrmkit_wecom.sandbox.tokens import Tokens

WRONG_JSON = " Warning: wrong json format. "
"""Stands in ``errmsg`` where a body was not well-formed; it counts as an empty one here.
Source: WeCom API, 全局错误码 (path/90313, an older copy), read 2026-11."""

ApiFunction = Callable[[Corp, Call], dict[str, Any]]

API: Mapping[str, ApiFunction] = {
    "get_follow_user_list": api_contacts.get_follow_user_list,
    "list": api_contacts.list_customers,
    "get": api_contacts.get_customer,
    "batch/get_by_user": api_contacts.batch_get_by_user,
    "mark_tag": api_contacts.mark_tag,
    "send_welcome_msg": api_contacts.send_welcome_msg,
    "add_contact_way": api_ways.add_contact_way,
    "get_contact_way": api_ways.get_contact_way,
    "list_contact_way": api_ways.list_contact_way,
    "update_contact_way": api_ways.update_contact_way,
    "del_contact_way": api_ways.del_contact_way,
    "get_corp_tag_list": api_tags.get_corp_tag_list,
    "add_corp_tag": api_tags.add_corp_tag,
    "edit_corp_tag": api_tags.edit_corp_tag,
    "del_corp_tag": api_tags.del_corp_tag,
}
"""What stands below ``/cgi-bin/externalcontact/``."""


class _PlatformJSON(JSONResponse):
    media_type = "application/json; charset=UTF-8"


class WecomSandbox(ContactActs, OfficeActs):
    """
    WeCom (企业微信) as one company's self-built app sees it, as far as customer contact goes.

    People's acts are control calls and cause callbacks; API calls cause none.
    Where the platform's pages leave an errcode open, 40058 (wrong) and 40063
    (empty) stand. A path that this sandbox does not have gets status 404 and
    an empty body; a call is answered whether it came by GET or by POST.
    """

    def forget(self) -> None:
        """Start with an empty company, no tokens and no callback address."""
        super().forget()
        self._tokens = Tokens(self.corp.ids)

    def routes(self) -> Sequence[BaseRoute]:
        """``gettoken`` and the calls of :data:`API`."""
        calls = [route(f"/cgi-bin/externalcontact/{path}", self._handler(function)) for path, function in API.items()]
        return [route("/cgi-bin/gettoken", self._get_token), *calls]

    def unknown(self, incoming: Incoming) -> Response:
        """Status 404, no body."""
        return Response(status_code=404)

    def rate_limited(self, incoming: Incoming) -> Response:
        """Errcode 45009, as when a limit by the minute is hit."""
        return self._refusal(incoming, RATE_LIMIT)

    def failed(self, incoming: Incoming, code: str) -> Response:
        """The errcode; -1 for what is no number."""
        return self._refusal(incoming, int(code) if code.lstrip("-").isdecimal() else BUSY)

    def revoke_tokens(self) -> None:
        """Take back every token: 40014 until a new one is fetched."""
        self._tokens.revoke()

    def _get_token(self, incoming: Incoming) -> Response:
        corp_id = incoming.query.get("corpid", "")
        secret = incoming.query.get("corpsecret", "")
        for given, code in ((corp_id, NO_CORPID), (secret, NO_SECRET)):
            if not given:
                return self._refusal(incoming, code)
        if corp_id != self.corp_id:
            return self._refusal(incoming, BAD_CORPID)
        if secret != self.secret:
            return self._refusal(incoming, BAD_SECRET)
        token, seconds = self._tokens.issue(incoming.at)
        answer = {"access_token": token, "expires_in": seconds}
        return _PlatformJSON({"errcode": OK, "errmsg": "ok", **answer})

    def _handler(self, function: ApiFunction) -> Handler:
        def handle(incoming: Incoming) -> Response:
            call = read_call(incoming, AGENT_ID)
            warning = "" if call.is_well_formed else WRONG_JSON
            try:
                self._tokens.check(call.query.text("access_token"), incoming.at)
                answer = function(self.corp, call)
            except ApiError as error:
                return self._refusal(incoming, error.errcode, error.text + warning)
            return _PlatformJSON({"errcode": OK, "errmsg": f"ok{warning}", **answer})

        return handle

    def _refusal(self, incoming: Incoming, errcode: int, text: str = "") -> Response:
        words = text or TEXTS.get(errcode, "unknown error")
        message = errmsg(errcode, words, unix=_unix(incoming.at), number=incoming.number)
        return _PlatformJSON({"errcode": errcode, "errmsg": message})


def _unix(at: datetime) -> int:
    return int(at.timestamp())
