"""What the browsers of phones make of a screen: what it shows, what goes where, what is asked next."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from provisioning.render.syntax.trees import tree

Submit = Callable[[Mapping[str, str]], str]


def _nowhere(_typed: Mapping[str, str]) -> str:
    return ""


@dataclass
class Shown:
    """A screen as a person sees it: its words, its fields with whether they are masked, its ways on.

    ``submit`` gives the URL that the phone asks for with what was typed. ``loads`` says that the
    screen itself makes the phone load its files.
    """

    words: str
    fields: dict[str, bool] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    submit: Submit = _nowhere
    loads: bool = False


def appended(url: str) -> Submit:
    """Fields go behind the URL, or behind the query that it has."""
    return lambda typed: f"{url}{'&' if '?' in url else '?'}{urlencode(typed)}"


def _text(root: Element, path: str) -> str:
    """The text at a path; empty where there is none."""
    return (root.findtext(path) or "").strip()


def yealink(root: Element) -> Shown:
    """XML Browser Developer's Guide: InputScreen, TextScreen."""
    words = f"{_text(root, 'Title')} {_text(root, 'Text')}"
    links = {_text(key, "Label"): _text(key, "URI") for key in root.iter("SoftKey")}
    if root.tag == "YealinkIPPhoneTextScreen":
        return Shown(words, links=links)
    fields = {
        _text(item, "Parameter"): item.get("password") == "yes" for item in root.iter("InputField")
    }
    return Shown(words, fields, submit=appended(_text(root, "URL")))


def snom(root: Element) -> Shown:
    """The minibrowser: one IPPhoneInput whose token is replaced in its URL, or an IPPhoneText."""
    words = f"{_text(root, 'Title')} {_text(root, 'Text')}"
    links = {_text(key, "Label"): _text(key, "Url") for key in root.iter("SoftKeyItem")}
    if root.tag == "SnomIPPhoneText":
        return Shown(words, links=links, loads=_text(root, "fetch").endswith("#reloadset"))
    url, token = _text(root, "Url"), _text(root, "InputItem/InputToken")
    [name] = re.findall(rf"[?&]([a-z]+)={token}", url)
    masked = "p" in _text(root, "InputItem/InputFlags")
    return Shown(words, {name: masked}, submit=lambda typed: url.replace(token, typed[name]))


_BROWSERS: dict[str, Callable[[Element], Shown]] = {"yealink": yealink, "snom": snom}


def shown(dialect: str, content: bytes) -> Shown:
    """What a phone of a dialect shows; raises ValueError for what is no screen."""
    return _BROWSERS[dialect](tree(content.decode("utf-8")))
