"""The sandbox as a server: Dysmsapi at ``/``, its control API under ``/sandbox/``."""

from __future__ import annotations

import asyncio
import json
import random
import string
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from scrmkit.clock import Clock
from scrmkit.errors import InvalidValueError
from scrmkit.testing.sandbox import Answered, Callback, CallbackSender, Incoming, Sandbox, control, local_address, route
from scrmkit_sms.phones import bare, read_phone
from scrmkit_sms.sandbox.errors import SmsApiError
from scrmkit_sms.sandbox.gateway import Gateway, action_of
from scrmkit_sms.sandbox.outcomes import BY_SUFFIX, LATE_SECONDS
from scrmkit_sms.sandbox.records import beijing
from scrmkit_sms.sandbox.service import Accepted, Service
from scrmkit_sms.sandbox.templates import NOTICE, SIGN, State, Template, TemplateType
from scrmkit_sms.texts import LONGEST, is_opt_out

REDELIVERY = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=10))
"""When a push that was not acknowledged comes again.
Source: Alibaba Cloud SMS, HTTP 批量推送, read 2026-11."""

REPORT_DELAY = timedelta(seconds=1)
MOST_OF_PUSH = 100
_LOOK_EVERY_SECONDS = 0.05
_ALNUM = string.ascii_letters + string.digits


class AliyunSmsSandbox(Sandbox):
    """
    Dysmsapi (阿里云短信) on loopback: SendSms, SendBatchSms, QuerySendDetails.

    Reports are pushed when the carrier's receipt is due on the sandbox's
    clock. Who moves a shared clock by hand calls :meth:`settle` afterwards.
    """

    name = "sms-aliyun"
    secrets = ("Signature", "AccessKeyId", "SecurityToken")

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        keys = random.Random(f"{seed}/credentials")
        self._access_key_id = "LTAI5t" + "".join(keys.choices(_ALNUM, k=18))
        self._access_key_secret = "".join(keys.choices(_ALNUM, k=30))
        super().__init__(clock, seed)
        self._ending = threading.Event()
        self._looker: threading.Thread | None = None
        self.forget()

    # What the base asks of a platform.

    def credentials(self) -> dict[str, str]:
        """The address, the key pair, and a signature and template that can be used at once."""
        return {
            "url": self.url,
            "access_key_id": self._access_key_id,
            "access_key_secret": self._access_key_secret,
            "sign_name": SIGN,
            "template_code": NOTICE.code,
        }

    def routes(self) -> Sequence[BaseRoute]:
        """Dysmsapi has one path; the action stands in a header or parameter."""
        return (route("/", self._handle),)

    def operation(self, incoming: Incoming) -> str:
        """The action."""
        return action_of(incoming)

    def unknown(self, incoming: Incoming) -> Response:
        """As the gateway answers."""
        return self._refused(SmsApiError("InvalidAction.NotFound"), incoming)

    def rate_limited(self, incoming: Incoming) -> Response:
        """As the gateway answers above 5,000 calls a second."""
        response = self._refused(SmsApiError("Throttling.User"), incoming)
        response.headers["x-acs-retry-after"] = "1000"
        return response

    def failed(self, incoming: Incoming, code: str) -> Response:
        """A business code with HTTP 200, one of the gateway with an HTTP error."""
        return self._refused(SmsApiError(code), incoming)

    def sender(self) -> CallbackSender:
        """Pushes are acknowledged with JSON, and come again after 1, 5 and 10 minutes."""
        return CallbackSender(self.clock, retries=REDELIVERY, accepts=_is_acknowledged)

    def forget(self) -> None:
        """Forget messages, replies, addresses, and what was registered since."""
        self._gateway = Gateway(self._access_key_id, self._access_key_secret, self.clock)
        self._service = Service(REPORT_DELAY)
        self._report_url = self._reply_url = ""
        self._replies = 0

    def start(self, port: int = 0) -> str:
        """Listen, and watch for receipts that fall due."""
        url = super().start(port)
        if self._looker is None:
            self._ending = threading.Event()
            self._looker = threading.Thread(
                target=self._look, args=(self._ending,), name="sandbox-receipts", daemon=True
            )
            self._looker.start()
        return url

    def stop(self) -> None:
        """Stop watching, listening and pushing; the state stays."""
        self._ending.set()
        if self._looker is not None:
            self._looker.join()
            self._looker = None
        super().stop()

    def settle(self, timeout: timedelta = timedelta(seconds=30)) -> bool:
        """
        Push what is due now and wait until it has been answered.

        Args:
            timeout: Real time to wait at most.

        Returns:
            False if it took longer.
        """
        self._push_due()
        return self.callbacks.wait_idle(timeout)

    # The control calls of its own.

    @control("POST", "callback-urls", example={"report": "http://127.0.0.1:8000/sms/report", "reply": ""})
    def set_callback_urls(
        self,
        report: Annotated[str | None, "where SmsReport goes; empty for nowhere"] = None,
        reply: Annotated[str | None, "where SmsUp goes; empty for nowhere"] = None,
    ) -> dict[str, str]:
        """Set the addresses that are called back; those left out stay."""
        for url in (report, reply):
            if url:
                local_address(url)
        self._report_url = self._report_url if report is None else report
        self._reply_url = self._reply_url if reply is None else reply
        return {"report": self._report_url, "reply": self._reply_url}

    @control("POST", "replies", example={"phone": "13900000000", "text": "R"})
    def reply(
        self,
        phone: Annotated[str, "whose owner replies"],
        text: Annotated[str, "what; a word such as R or 退订 opts out of promotions"],
        sign_name: Annotated[str, "the signature of the text that is answered"] = SIGN,
    ) -> dict[str, Any]:
        """Let a phone's owner reply; it is pushed as SmsUp."""
        number = read_phone(phone)
        if is_opt_out(text):
            self._service.opted_out.add(number)
        self._replies += 1
        item = {
            "phone_number": bare(number),
            "send_time": beijing(self.clock.now()),
            "content": text,
            "sign_name": sign_name,
            "dest_code": "01",
            "sequence_id": 1_000_000_000 + self._replies,
        }
        self._push(self._reply_url, [item], "SmsUp")
        return {"sequence_id": item["sequence_id"], "pushed": bool(self._reply_url)}

    @control("GET", "messages")
    def list_messages(
        self,
        phone: Annotated[str, "only those to this number; empty for all"] = "",
        out_id: Annotated[str, "only those with this OutId; empty for all"] = "",
    ) -> dict[str, Any]:
        """List the messages that were accepted, oldest first, as the phones show them."""
        number = read_phone(phone) if phone else ""
        self._push_due()
        return {
            "messages": [
                record.received()
                for record in self._service.records
                if number in ("", record.phone) and out_id in ("", record.out_id)
            ]
        }

    @control("GET", "templates")
    def list_templates(self) -> dict[str, Any]:
        """List the registered templates and signatures."""
        return {
            "templates": [
                {"code": t.code, "text": t.text, "type": t.type, "state": t.state}
                for t in self._service.templates.values()
            ],
            "signs": [{"name": n, "state": s} for n, s in self._service.signs.items()],
        }

    @control("POST", "templates", example={"code": "SMS_100000001", "text": "${name}，欢迎光临！"})
    def set_template(
        self,
        code: Annotated[str, "SMS_ and digits"],
        text: Annotated[str, "without signature; variables are written ${name}"],
        type: Annotated[TemplateType, "what it is for"] = "notice",  # noqa: A002
        state: Annotated[State, "whether it may be used"] = "approved",
    ) -> dict[str, str]:
        """Register a template, or change one."""
        if not code.startswith("SMS_") or not code[4:].isdigit():
            raise InvalidValueError("'code' is SMS_ and digits, such as SMS_100000001")
        if "【" in text or "】" in text or not text:
            raise InvalidValueError("'text' is not empty and holds no 【】: those are the signature's")
        if len(text) > LONGEST:
            raise InvalidValueError(f"'text' has at most {LONGEST} characters")
        template = Template(code=code, text=text, type=type, state=state)
        self._service.templates[code] = template
        return {"code": code}

    @control("POST", "signs", example={"name": "半城云", "state": "approved"})
    def set_sign(
        self, name: Annotated[str, "without brackets"], state: Annotated[State, "whether it may be used"] = "approved"
    ) -> dict[str, str]:
        """Register a signature, or change one."""
        if "【" in name or "】" in name or not name:
            raise InvalidValueError("'name' is not empty and stands without 【】")
        self._service.signs[name] = state
        return {"name": name}

    @control("POST", "account", example={"balance": 1000, "whitelist": ["13900000000"]})
    def set_account(
        self,
        balance: Annotated[int | None, "messages that can be billed; null for any number"] = None,
        whitelist: Annotated[list[str] | None, "numbers without frequency control"] = None,
    ) -> dict[str, Any]:
        """Set the balance, and the numbers that are not frequency-controlled."""
        if whitelist is not None and len(whitelist) > 300:
            raise InvalidValueError("'whitelist' holds up to 300 numbers")
        self._service.balance = balance
        if whitelist is not None:
            self._service.frequency.whitelist = {read_phone(phone) for phone in whitelist}
        return {"balance": balance}

    @control("GET", "outcomes")
    def list_outcomes(self) -> dict[str, Any]:
        """List what becomes of a message by the end of its number; all others arrive."""
        return {
            "outcomes": [
                {"suffix": suffix, "err_code": ending.err_code, "about": ending.about}
                for suffix, ending in BY_SUFFIX.items()
            ]
        }

    @control("POST", "callbacks/wait", example={}, locked=False)
    def wait_for_callbacks(self, seconds: Annotated[float, "real seconds to wait at most"] = 30.0) -> dict[str, bool]:
        """Wait until every report and reply that is due has been pushed."""
        return {"idle": self.settle(timedelta(seconds=seconds))}

    # Answering calls.

    def _handle(self, incoming: Incoming) -> Response:
        try:
            call = self._gateway.admit(incoming)
            actions = {"SendSms": self._service.send_sms, "SendBatchSms": self._service.send_batch_sms}
            self._push_due()
            if call.action == "QuerySendDetails":
                found = self._service.query_send_details(call.params, incoming.at)
                return self._answered(found, incoming)
            if call.action not in actions:
                raise SmsApiError("InvalidAction.NotFound")
            accepted = actions[call.action](call.params, incoming.at)
        except SmsApiError as error:
            return self._refused(error, incoming)
        return self._accepted(accepted, incoming)

    def _accepted(self, accepted: Accepted, incoming: Incoming) -> Response:
        response = self._answered({"BizId": accepted.biz_id}, incoming)
        return _Late(response) if accepted.late else response

    def _answered(self, body: Mapping[str, Any], incoming: Incoming) -> Response:
        head = {"Code": "OK", "Message": "OK", "RequestId": self._request_id(incoming)}
        return JSONResponse(head | dict(body))

    def _refused(self, error: SmsApiError, incoming: Incoming) -> Response:
        body = {"RequestId": self._request_id(incoming), "Code": error.code, "Message": error.message}
        if error.is_of_gateway:
            body["HostId"] = incoming.headers.get("host", "")
            body["Recommend"] = f"https://api.aliyun.com/troubleshoot?q={error.code}"
        return JSONResponse(body, status_code=error.status)

    def _request_id(self, incoming: Incoming) -> str:
        name = f"{self.seed}/{incoming.number}"
        return str(uuid.uuid5(uuid.NAMESPACE_OID, name)).upper()

    # Pushing reports and replies.

    def _look(self, ending: threading.Event) -> None:
        while not ending.wait(_LOOK_EVERY_SECONDS):
            self._push_due()

    def _push_due(self) -> None:
        with self.lock:
            due = [record.report() for record in self._service.take_receipts(self.clock.now())]
            for start in range(0, len(due), MOST_OF_PUSH):
                self._push(self._report_url, due[start : start + MOST_OF_PUSH], "SmsReport")

    def _push(self, url: str, items: Sequence[Mapping[str, Any]], about: str) -> None:
        if url:
            body = json.dumps(items, ensure_ascii=False).encode()
            headers = {"content-type": "application/json;charset=utf-8"}
            self.callbacks.push(Callback(url=url, body=body, headers=headers, about=about))


class _Late(Response):
    """An answer that comes after the client has stopped waiting."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(LATE_SECONDS)
        await self._answer(scope, receive, send)


def _is_acknowledged(answer: Answered) -> bool:
    """HTTP 200 with JSON whose ``code`` is 0."""
    if answer.status != 200:
        return False
    try:
        body = json.loads(answer.body)
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("code") == 0 and body["code"] is not False
