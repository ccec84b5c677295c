"""Signature and encryption of WeCom callbacks, both ways."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

import attrs
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scrmkit.errors import CallbackRejectedError, InvalidValueError
from scrmkit_wecom.xmltext import cdata, parse_xml

BLOCK_BYTES = 32
"""Padding goes to multiples of 32 bytes, though AES itself has blocks of 16.
Source: WeCom API, 加解密方案说明 (path/90968) and vectors of three libraries, read 2026-11."""

RANDOM_BYTES = 16
LENGTH_BYTES = 4
MAX_BODY_BYTES = 1 << 20
"""More than any event of the platform; what is longer is refused unread."""

_TOKEN = re.compile(r"[A-Za-z0-9]{1,32}")
_KEY = re.compile(r"[A-Za-z0-9]{43}")


def check_token(token: str) -> None:
    """Refuse what cannot be a callback token, without repeating it."""
    if not _TOKEN.fullmatch(token):
        raise InvalidValueError("the callback token must be 1 to 32 letters or digits")


def check_encoding_aes_key(key: str) -> None:
    """Refuse what cannot be an EncodingAESKey, without repeating it."""
    if not _KEY.fullmatch(key):
        raise InvalidValueError("the EncodingAESKey must be exactly 43 letters or digits")


@attrs.frozen(kw_only=True, repr=False)
class Delivery:
    """
    One callback as the platform posts it.

    Attributes:
        query: The query parameters, not yet percent-encoded.
        body: The envelope, UTF-8.
    """

    query: Mapping[str, str]
    body: bytes


class CallbackCrypto:
    """
    The callback encryption (回调加解密) of one app.

    Source: WeCom API, 回调配置 (path/90930) and 加解密方案说明 (path/90968), read 2026-11.
    """

    def __init__(self, token: str, encoding_aes_key: str, receiveid: str) -> None:
        """
        Args:
            token: Up to 32 letters and digits, as configured for the callback.
            encoding_aes_key: The 43 letters and digits configured with it.
            receiveid: The corp id of a self-built app, the suite id of a
                third-party suite; empty for some bots.

        Raises:
            InvalidValueError: The token or the key does not look like one.
        """
        check_token(token)
        check_encoding_aes_key(encoding_aes_key)
        self._token = token
        # The last character may carry spare bits that no encoder would write.
        self._key = base64.b64decode(encoding_aes_key + "=")
        self._receiveid = receiveid

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """The ``msg_signature`` of the encrypted text: sha1 in lower-case hex."""
        parts = sorted(_bytes(part) for part in (self._token, timestamp, nonce, encrypted))
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def verify_url(self, msg_signature: str, timestamp: str, nonce: str, echostr: str) -> str:
        """
        The bare message to answer a URL verification (验证URL) with.

        Args:
            echostr: The parameter, percent-decoded once.

        Raises:
            CallbackRejectedError: It is not authentic or not readable.
        """
        return self._open(msg_signature, timestamp, nonce, echostr)

    def decrypt(self, msg_signature: str, timestamp: str, nonce: str, body: bytes) -> str:
        """
        The XML inside the envelope *body*.

        Raises:
            CallbackRejectedError: The first check that failed, in this order:
                ``envelope``, ``signature``, ``base64``, ``ciphertext``,
                ``padding``, ``length``, ``receiveid``, ``plaintext``.
        """
        if len(body) > MAX_BODY_BYTES:
            raise CallbackRejectedError("the callback is longer than 1 MiB", code="envelope")
        found = parse_xml(body, code="envelope").findall("Encrypt")
        if len(found) != 1 or not found[0].text:
            raise CallbackRejectedError("the callback's envelope does not hold one Encrypt", code="envelope")
        message = self._open(msg_signature, timestamp, nonce, found[0].text)
        parse_xml(message, code="plaintext")
        return message

    def seal(self, message: str, *, random16: bytes) -> str:
        """
        *message* encrypted, as it stands in ``Encrypt`` or ``echostr``.

        Args:
            random16: 16 bytes that nobody can foresee; fixed ones only in tests.
        """
        if len(random16) != RANDOM_BYTES:
            raise InvalidValueError("the random prefix must be 16 bytes long")
        text = message.encode()
        plain = random16 + len(text).to_bytes(LENGTH_BYTES, "big") + text + self._receiveid.encode()
        pad = BLOCK_BYTES - len(plain) % BLOCK_BYTES
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def encrypt(self, message: str, timestamp: str, nonce: str, *, random16: bytes) -> str:
        """The whole reply (被动回复) that carries *message*, itself XML, to the platform."""
        encrypted = self.seal(message, random16=random16)
        return (
            f"<xml><Encrypt>{cdata(encrypted)}</Encrypt>"
            f"<MsgSignature>{cdata(self.signature(timestamp, nonce, encrypted))}</MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
        )

    def deliver(self, message: str, timestamp: str, nonce: str, *, random16: bytes, agent_id: str = "") -> Delivery:
        """
        The callback that carries *message*, as the platform posts it.

        Args:
            agent_id: Stands in the envelope of what concerns one app; empty leaves it out.
        """
        encrypted = self.seal(message, random16=random16)
        agent = f"<AgentID>{cdata(agent_id)}</AgentID>" if agent_id else ""
        to = f"<ToUserName>{cdata(self._receiveid)}</ToUserName>"
        body = f"<xml>{to}{agent}<Encrypt>{cdata(encrypted)}</Encrypt></xml>"
        query = {"msg_signature": self.signature(timestamp, nonce, encrypted), "timestamp": timestamp, "nonce": nonce}
        return Delivery(query=query, body=body.encode())

    def _open(self, msg_signature: str, timestamp: str, nonce: str, encrypted: str) -> str:
        expected = self.signature(timestamp, nonce, encrypted)
        if not hmac.compare_digest(expected.encode(), _bytes(msg_signature)):
            raise CallbackRejectedError("the callback's signature is wrong", code="signature")
        plain = _unpad(self._decipher(_unbase64(encrypted)))
        start = RANDOM_BYTES + LENGTH_BYTES
        end = start + int.from_bytes(plain[RANDOM_BYTES:start], "big")
        if len(plain) < start or end > len(plain):
            raise CallbackRejectedError("the callback's length does not fit what it holds", code="length")
        if not hmac.compare_digest(plain[end:], self._receiveid.encode()):
            raise CallbackRejectedError("the callback is meant for another receiver", code="receiveid")
        try:
            return plain[start:end].decode()
        except UnicodeDecodeError:
            pass
        # Raised outside the except: a UnicodeDecodeError carries the plaintext.
        raise CallbackRejectedError("the callback's plaintext is not UTF-8", code="plaintext")

    def _decipher(self, sealed: bytes) -> bytes:
        if not sealed or len(sealed) % (algorithms.AES.block_size // 8):
            raise CallbackRejectedError("the callback's ciphertext is not whole blocks", code="ciphertext")
        decryptor = self._cipher().decryptor()
        return decryptor.update(sealed) + decryptor.finalize()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


def _bytes(text: str) -> bytes:
    """UTF-8 that never fails: half a surrogate pair is as wrong as any other character."""
    return text.encode(errors="surrogatepass")


def _unbase64(encrypted: str) -> bytes:
    try:
        return base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise CallbackRejectedError("the callback's content is not base64", code="base64")


def _unpad(plain: bytes) -> bytes:
    pad = plain[-1]
    if not 1 <= pad <= BLOCK_BYTES or plain[-pad:] != bytes([pad]) * pad:
        raise CallbackRejectedError("the callback's padding is wrong", code="padding")
    return plain[:-pad]
