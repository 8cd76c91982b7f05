"""The table of texts and the choice of a language."""

from __future__ import annotations

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.wording import LANGUAGES, WORDING, accepted, closest, say


@pytest.mark.parametrize("key", WORDING)
def test_a_text_is_whole_in_every_language(key):
    """Each text is written in each language and names the same values there."""
    texts = [getattr(WORDING[key], language) for language in LANGUAGES]
    assert all(text.strip() for text in texts)
    named = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]
    assert all(names == named[0] for names in named)


def test_values_are_shown_as_they_are():
    """A value that looks like a format is no format."""
    assert say("en", "take.occupied-by", name="{0}{x}") == "{0}{x} is logged in at this phone."


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH,de;q=0.9", "de"),
        ("en;q=0.5, fr;q=0.8", "fr"),
        ("xx, fr;q=0.1", "fr"),
        ("de;q=0, fr", "fr"),
        ("DE-AT", "de"),
        ("*", "en"),
        ("de;q=2, fr;q=0.2", "fr"),
    ],
)
def test_the_browsers_best_language_is_taken(header, language):
    """Weights of Accept-Language count, and languages without texts are passed over."""
    assert accepted(header) == language


@given(st.text())
def test_any_header_gives_a_language(header):
    """Whatever a browser sends, there is a language."""
    assert accepted(header) in LANGUAGES
    assert closest([header]) in LANGUAGES
