"""Rules over several values: what breaks them, when they are looked at, what they say."""

from __future__ import annotations

import pytest

from provisioning.domain import rules
from provisioning.domain.errors import SettingsDisagree
from provisioning.domain.settings import BY_KEY

FACTS = {rules.EMAIL, rules.ACCOUNTS, rules.INCOMING, rules.FALLBACK, rules.CALLER_IDS}

BREAKING = {
    "voicemail-address": (True, None),
    "voicemail-summary": (True, False),
    "voicemail-transcript": (True, False),
    "voicemail-attach": (True, False),
    "voicemail-delete-after": (True, False),
    "voicemail-kept": (True, False),
    "callback-number": ("callback", ""),
    "other-account": ("other-account", 2, 1),
    "barge-operator": (True, False),
    "listen-operator": (True, False),
    "whisper-operator": (True, False),
    "hotdesk-incoming": ("hotdesk", False),
    "voicemail-fallback": ("voicemail", False),
    "several-caller-ids": (2, False),
}
"""For each rule the values of its keys that break it."""


def test_rules_look_at_what_there_is():
    """Each rule has a name of its own and looks at settings of the table or facts of a person."""
    assert [rule.name for rule in rules.RULES] == list(BREAKING)
    for rule in rules.RULES:
        assert set(rule.keys) <= set(BY_KEY) | FACTS


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_e2_a_broken_rule_is_told_whichever_value_was_changed(rule):
    """Changing either side is refused with a field of the request; an unrelated change is not."""
    known = dict(zip(rule.keys, BREAKING[rule.name], strict=True))
    for key in rule.keys:
        with pytest.raises(SettingsDisagree) as refused:
            rules.check(known, [key])
        assert refused.value.what == rule.sentence
        assert "user." not in refused.value.field or key == rules.ACCOUNTS
    rules.check(known, ["language"])


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_e2_a_rule_is_left_alone_where_a_value_is_not_known(rule):
    """At a role nobody's e-mail is known: people below may keep the rule."""
    known = dict(zip(rule.keys, BREAKING[rule.name], strict=True))
    for key in rule.keys:
        part = {name: value for name, value in known.items() if name != key}
        rules.check(part, rule.keys)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_e2_what_is_off_needs_nothing(rule):
    """A value that is off, empty or another word keeps its rule."""
    first = {"callback": "own-line", "other-account": "own-line"}
    values = BREAKING[rule.name]
    off = first.get(values[0], "fixed" if rule.name == "hotdesk-incoming" else False)
    rules.check(dict(zip(rule.keys, (off, *values[1:]), strict=True)), rule.keys)
