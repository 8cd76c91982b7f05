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


def mitel(root: Element) -> Shown:
    """XML classes: InputScreen with one field, TextMenu, TextScreen."""
    if root.tag == "AastraIPPhoneInputScreen":
        masked = root.get("password") == "yes"
        fields = {_text(root, "Parameter"): masked}
        return Shown(_text(root, "Title"), fields, submit=appended(_text(root, "URL")))
    links = {_text(item, "Prompt"): _text(item, "URI") for item in root.iter("MenuItem")}
    return Shown(f"{_text(root, 'Title')} {_text(root, 'Text')} {' '.join(links)}", links=links)


def cisco(root: Element) -> Shown:
    """XML services: CiscoIPPhoneInput, CiscoIPPhoneText."""
    words = f"{_text(root, 'Title')} {_text(root, 'Text')}"
    links = {_text(key, "Name"): _text(key, "URL") for key in root.iter("SoftKeyItem")}
    fields = {
        _text(item, "QueryStringParam"): "P" in _text(item, "InputFlags")
        for item in root.iter("InputItem")
    }
    return Shown(words, fields, links, appended(_text(root, "URL")))


def grandstream(root: Element) -> Shown:
    """The XML application: Screen with texts and fields at pixels, soft keys with an action each."""
    words = " ".join(text.text or "" for text in root.iter("DisplayStr"))
    fields = {item.get("name", ""): item.get("type") == "password" for item in root.iter("input")}
    keys = [(key.get("action"), key) for key in root.iter("SoftKey")]
    links = {
        key.get("label", ""): key.get("commandArgs", "")
        for action, key in keys
        if action == "UseURL"
    }
    send = [key.get("commandArgs", "") for action, key in keys if action == "AppendInputURL"]
    return Shown(words, fields, links, appended(send[0]) if send else _nowhere)


def fanvil(root: Element) -> Shown:
    """XML screens: InputScreen with one field, which nothing hides, and Directory with soft keys."""
    if root.tag == "FanvilIPPhoneInputScreen":
        url = _text(root, "URL")
        if "?" not in url:
            raise ValueError(f"{url} has no query; no source says how something is put behind it")
        fields = {_text(root, "InputField/Parameter"): False}
        return Shown(_text(root, "Title"), fields, submit=appended(url))
    words = " ".join(_text(item, "Prompt") for item in root.iter("MenuItem"))
    links = {_text(key, "Name"): _text(key, "URI") for key in root.iter("SoftKey")}
    return Shown(f"{_text(root, 'Title')} {words}", links=links)


_XHTML = "{http://www.w3.org/1999/xhtml}"


def poly(root: Element) -> Shown:
    """The microbrowser: XHTML with one form sent by GET, and links."""
    words = " ".join(piece.strip() for piece in root.itertext())
    links = {"".join(link.itertext()): link.get("href", "") for link in root.iter(f"{_XHTML}a")}
    fields = {
        item.get("name", ""): item.get("type") == "password"
        for item in root.iter(f"{_XHTML}input")
        if item.get("type") != "submit"
    }
    form = next(root.iter(f"{_XHTML}form"), None)
    action = form.get("action", "") if form is not None else ""
    return Shown(words, fields, links, appended(action))


_BROWSERS: dict[str, Callable[[Element], Shown]] = {
    "cisco-mpp": cisco,
    "cisco-spa": cisco,
    "fanvil": fanvil,
    "grandstream": grandstream,
    "mitel": mitel,
    "poly-ucs": poly,
    "snom": snom,
    "yealink": yealink,
}


def shown(dialect: str, content: bytes) -> Shown:
    """What a phone of a dialect shows; raises ValueError for what is no screen."""
    return _BROWSERS[dialect](tree(content.decode("utf-8")))
