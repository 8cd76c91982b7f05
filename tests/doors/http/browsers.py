"""What the browsers of phones make of a screen: what it shows, what is typed where, what is asked next."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode
from xml.etree import ElementTree as ET


@dataclass
class Shown:
    """A screen as a person sees it: its words, its fields with whether they are masked, its ways on.

    ``submit`` gives the URL that the phone asks for with what was typed. ``loads`` says that the
    screen itself makes the phone load its files.
    """

    words: str
    fields: dict[str, bool] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    submit: Callable[[dict[str, str]], str] = lambda _typed: ""
    loads: bool = False


def appended(url: str) -> Callable[[dict[str, str]], str]:
    """Fields go behind the URL, or behind the query that it has."""
    return lambda typed: f"{url}{'&' if '?' in url else '?'}{urlencode(typed)}"


def text(root: ET.Element, path: str) -> str:
    """The text at a path; empty where there is none."""
    return (root.findtext(path) or "").strip()


def yealink(root: ET.Element) -> Shown:
    """XML Browser Developer's Guide: InputScreen, TextScreen."""
    words = f"{text(root, 'Title')} {text(root, 'Text')}"
    links = {text(key, "Label"): text(key, "URI") for key in root.iter("SoftKey")}
    if root.tag == "YealinkIPPhoneTextScreen":
        return Shown(words, links=links)
    assert root.tag == "YealinkIPPhoneInputScreen"
    fields = {
        text(item, "Parameter"): item.get("password") == "yes" for item in root.iter("InputField")
    }
    return Shown(words, fields, submit=appended(text(root, "URL")))


def snom(root: ET.Element) -> Shown:
    """The minibrowser: one IPPhoneInput whose token is replaced in its URL, or an IPPhoneText."""
    words = f"{text(root, 'Title')} {text(root, 'Text')}"
    links = {text(key, "Label"): text(key, "Url") for key in root.iter("SoftKeyItem")}
    if root.tag == "SnomIPPhoneText":
        return Shown(words, links=links, loads=text(root, "fetch").endswith("#reloadset"))
    assert root.tag == "SnomIPPhoneInput"
    url, token = text(root, "Url"), text(root, "InputItem/InputToken")
    [name] = re.findall(rf"[?&]([a-z]+)={token}", url)
    masked = "p" in text(root, "InputItem/InputFlags")
    return Shown(words, {name: masked}, submit=lambda typed: url.replace(token, typed[name]))


BROWSERS: dict[str, Callable[[ET.Element], Shown]] = {"yealink": yealink, "snom": snom}
"""Reads the screens of each dialect that has some."""
