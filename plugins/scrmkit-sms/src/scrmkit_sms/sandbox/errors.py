"""How Dysmsapi says no."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "isv.BUSINESS_LIMIT_CONTROL": "触发分钟级流控Permits:1",
    "isv.MOBILE_NUMBER_ILLEGAL": "手机号码格式错误",
    "isv.MOBILE_COUNT_OVER_LIMIT": "手机号码数量超过限制",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": "国际/港澳台消息模板不支持发送境内号码",
    "isv.SMS_TEMPLATE_ILLEGAL": "该账号下找不到对应模板",
    "isv.SMS_SIGNATURE_ILLEGAL": "该账号下找不到对应签名",
    "isv.SIGN_STATE_ILLEGAL": "签名状态不合法",
    "isv.TEMPLATE_MISSING_PARAMETERS": "模板变量缺少参数",
    "isv.TEMPLATE_PARAMS_ILLEGAL": "模板变量不合规范",
    "isv.INVALID_JSON_PARAM": "参数格式错误，请修改为字符串值",
    "isv.INVALID_PARAMETERS": "参数格式不正确",
    "isv.PARAM_LENGTH_LIMIT": "参数超过长度限制",
    "isv.PARAM_NOT_SUPPORT_URL": "变量不支持传入URL",
    "isv.EXTEND_CODE_ERROR": "扩展码使用错误，相同的扩展码不可用于多个签名",
    "isv.AMOUNT_NOT_ENOUGH": "账户余额不足",
    "isp.SYSTEM_ERROR": "系统错误",
    "SignatureDoesNotMatch": "Specified signature does not match our calculation.",
    "SignatureNonceUsed": "Specified signature nonce was used already.",
    "InvalidTimeStamp.Expired": "Specified time stamp or date value is expired.",
    "InvalidTimeStamp.Format": "Specified time stamp or date value is not well formatted.",
    "InvalidAccessKeyId.NotFound": "Specified access key is not found.",
    "IncompleteSignature": "The request signature does not conform to Aliyun standards.",
    "InvalidVersion": "Specified parameter Version is not valid.",
    "InvalidAction.NotFound": "Specified api is not found, please check your url and method.",
    "Throttling.User": "Request was denied due to user flow control.",
    "ServiceUnavailable": "The request has failed due to a temporary failure of the server.",
}

_STATUS = {"InvalidAccessKeyId.NotFound": 404, "InvalidAction.NotFound": 404, "ServiceUnavailable": 503}


class SmsApiError(Exception):
    """
    A call is refused with the platform's own code.

    Codes of the business (``isv.``, ``isp.``) are answered with HTTP 200,
    those of the gateway with an HTTP error.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or MESSAGES.get(code, code)

    @property
    def is_of_gateway(self) -> bool:
        """Whether the gateway refuses it, before the SMS service sees it."""
        return not self.code.startswith(("isv.", "isp."))

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return _STATUS.get(self.code, 400) if self.is_of_gateway else 200


def mandatory(params: Mapping[str, str], *names: str) -> None:
    """
    Insist on these parameters.

    Raises:
        SmsApiError: One is missing or empty.
    """
    for name in names:
        if not params.get(name):
            raise SmsApiError(f"Missing{name}", f"{name} is mandatory for this action.")
