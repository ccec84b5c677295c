"""Reading XML that a stranger may have written: no DTD, no entities, one typed error."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from scrmkit.errors import CallbackRejectedError


def parse_xml(data: bytes | str, *, code: str) -> Element:
    """
    The root of *data*, whose tag must be ``xml``.

    Raises:
        CallbackRejectedError: It is not such a document, or has a DTD; with *code*.
    """
    root: Element | None = None
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, ValueError, LookupError):
        # Not chained: the parser's errors quote what they read. LookupError and
        # ValueError come from encodings that the document claims for itself.
        root = None
    if root is None or root.tag != "xml":
        raise CallbackRejectedError(f"the callback's {code} is not XML that we accept", code=code)
    return root


def cdata(text: str) -> str:
    """*text* as one or more CDATA sections that read back as *text*."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
