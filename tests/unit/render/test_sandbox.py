"""What a template may reach and how much it may do (a template is an operator's text)."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import RenderFailed, UnsafeValue
from provisioning.render import environment as module
from provisioning.render.environment import LARGEST_FILE, render_template
from provisioning.vendors.schema import Syntax

HUGE = 100_000_000
DATA = {
    "phone": {"name": "Ada", "keys": 3},
    "lines": [{"label": "one"}, {"label": "two"}],
    "nothing": None,
}


@pytest.fixture
def render(tmp_path):
    """Render a template given as text, with other templates beside it if they are named."""

    def rendered(text: str, form: Syntax = Syntax.YEALINK, others=None, **data) -> str:
        for name, content in {"t.j2": text, **(others or {})}.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        module.environment.cache_clear()
        return render_template((tmp_path,), "t.j2", form, {**DATA, **data}).decode("utf-8")

    return rendered


REACHING = [
    "{{ phone.__class__ }}",
    "{{ phone['__class__'] }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ phone | attr('keys') }}",
    "{{ [phone] | map(attribute='__class__') | first }}",
    "{{ (lines | map(attribute='append') | first)(1) }}",
    "{{ lines.append(1) }}",
    "{{ phone.update({}) }}",
    "{{ cycler.__init__.__globals__.os.popen('id') }}",
    "{{ lipsum.__globals__ }}",
    "{{ joiner() }}",
    "{{ namespace() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ range.__self__ }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{{ '{0.__class__}'.format(phone) }}",
    "{{ '{a.__class__}'.format_map({'a': phone}) }}",
    "{{ phone.name.encode() }}",
    "{% for x in lines %}{{ loop.__class__ }}{% endfor %}",
    "{% include '../../etc/passwd' %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ lines | tojson }}",
    "{{ phone.name | safe }}",
    "{{ phone.name | e }}",
    "{{ phone.name | escape }}",
    "{{ phone.name | forceescape }}",
    "{{ phone.name | urlize }}",
    "{{ phone | xmlattr }}",
    "{{ phone | pprint }}",
    "{{ lines | random }}",
]

EATING = [
    f"{{{{ 'a' * {HUGE} }}}}",
    f"{{{{ {HUGE} * 'a' }}}}",
    f"{{{{ [1] * {HUGE} }}}}",
    f"{{{{ (1,) * {HUGE} }}}}",
    f"{{{{ 10 ** {HUGE} }}}}",
    f"{{{{ range({HUGE}) | length }}}}",
    f"{{{{ range(0, {HUGE}, 2) | list | length }}}}",
    f"{{{{ 'a'.center({HUGE}) }}}}",
    f"{{{{ 'a'.ljust({HUGE}) }}}}",
    f"{{{{ 'a'.rjust({HUGE}) }}}}",
    f"{{{{ 'a'.zfill({HUGE}) }}}}",
    f"{{{{ 'a\\t'.expandtabs({HUGE}) }}}}",
    f"{{{{ ['a'] | map(attribute='center') | first }}}}{{{{ ('a' | string)['center']({HUGE}) }}}}",
    f"{{{{ '{{:>{HUGE}}}'.format(1) }}}}",
    f"{{{{ 'a' | center({HUGE}) }}}}",
    f"{{{{ 'a' | indent({HUGE}, true) }}}}",
    f"{{{{ 'a' | wordwrap({HUGE}) }}}}",
    f"{{{{ '%{HUGE}d' % 1 }}}}",
    f"{{{{ '%{HUGE}d' | format(1) }}}}",
    f"{{{{ '%.{HUGE}f' | format(1) }}}}",
    f"{{{{ '%*d' | format({HUGE}, 1) }}}}",
    f"{{{{ '%(a){HUGE}d' % {{'a': 1}} }}}}",
    f"{{{{ [1] | batch({HUGE}, 0) | list | length }}}}",
    f"{{{{ [1] | slice({HUGE}) | list | length }}}}",
    f"{{{{ 1 | round({HUGE}, 'ceil') }}}}",
    f"{{{{ (1).to_bytes({HUGE}) }}}}",
    f"{{{{ [[1]] | sum(start=[]) | length }}}}{{{{ {HUGE} | filesizeformat }}}}",
]

DOUBLINGS = {
    "tilde": ("'aa'", "x ~ x"),
    "plus": ("'aa'", "x + x"),
    "list plus": ("[1, 1]", "x + x"),
    "join": ("'aa'", "[x, x] | join"),
    "join between": ("'aa'", "[1, 1, 1] | join(x)"),
    "replace": ("'aa'", "x | replace('a', 'aa')"),
    "replace method": ("'aa'", "x.replace('a', 'aa')"),
    "format": ("'aa'", "'%s%s' | format(x, x)"),
    "percent": ("'aa'", "'%s%s' % (x, x)"),
    "product": ("99", "x * x"),
    "list in list, printed": ("[1]", "[x, x]"),
    "urlencode": ("'%%'", "(x ~ x) | urlencode"),
}

WORKING = {
    "nested loops": (
        "{% for a in range(2000) %}{% for b in range(2000) %}{% endfor %}{% endfor %}"
    ),
    "loops in a macro": (
        "{% macro m() %}{% for a in range(2000) %}{% endfor %}{% endmacro %}"
        "{% for a in range(2000) %}{{ m() }}{% endfor %}"
    ),
    "a macro that calls itself twice": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}"
    ),
    "a macro without end": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "text kept in a variable": (
        "{% set x %}{% for a in range(2000) %}{% for b in range(90) %}"
        + "y" * 20_000
        + "{% endfor %}{% endfor %}{% endset %}"
    ),
    "filters over and over": (
        "{% set x = '"
        + "y" * 20_000
        + "' %}{% for a in range(2000) %}{% for b in range(90) %}{% set z = x | upper %}"
        "{% endfor %}{% endfor %}"
    ),
    "a loop that recurses": ("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}"),
    "includes that double": "{% set n = 40 %}{% include 'again.j2' %}",
    "an include without end": "{% include 't.j2' %}",
}

AGAIN = "{% set n = n - 1 %}{% if n %}{% include 'again.j2' %}{% include 'again.j2' %}{% endif %}"


@pytest.mark.parametrize("text", REACHING)
def test_template_reaches_nothing_but_its_data(render, text: str):
    """Nothing behind the plain data can be had: no attribute, method, module or other file."""
    with pytest.raises(RenderFailed):
        render(text)


@pytest.mark.parametrize("text", EATING)
def test_one_expression_cannot_eat_the_memory(render, text: str):
    """What would make a hundred megabytes out of a few letters is refused before it is made."""
    with pytest.raises(RenderFailed, match=r"SecurityError|No filter|cannot be printed"):
        render(text)


@pytest.mark.parametrize("how", DOUBLINGS)
def test_a_value_cannot_be_doubled_without_end(render, how: str):
    """A value that grows step by step is refused when it is too long."""
    first, doubled = DOUBLINGS[how]
    text = "{% set x = " + first + " %}" + ("{% set x = " + doubled + " %}") * 40 + "{{ x }}"
    with pytest.raises(RenderFailed, match=r"a value of more|numbers above|cannot be printed"):
        render(text)


@pytest.mark.parametrize("how", WORKING)
def test_work_without_output_ends(render, how: str):
    """A template that works without printing is stopped after a bounded number of steps."""
    with pytest.raises(RenderFailed, match=r"steps of work|recursi"):
        render(WORKING[how], others={"again.j2": AGAIN})


def test_output_ends_at_the_largest_file(render):
    """A file that grows too large fails, and nothing of it is served."""
    loops = "{% for a in range(2000) %}" + "x" * 1200 + "{% endfor %}"
    with pytest.raises(RenderFailed, match=str(LARGEST_FILE)):
        render(loops)


def test_output_is_measured_in_bytes(render):
    """The limit is one of bytes, not of characters."""
    loops = "{% for a in range(1500) %}" + "é" * 800 + "{% endfor %}"
    with pytest.raises(RenderFailed, match=str(LARGEST_FILE)):
        render(loops)


def test_every_render_has_its_own_steps(render):
    """What one render used up is not missing from the next."""
    text = "{% for a in range(2000) %}{% for b in range(20) %}{% endfor %}{% endfor %}done"
    assert [render(text) for _ in range(3)] == ["done"] * 3


@pytest.mark.parametrize(
    "text",
    [
        "{{ nosuch }}",
        "{{ phone.nosuch }}",
        "{{ lines[7].label }}",
        "{{ nosuch() }}",
        "{% for x in nosuch %}{% endfor %}",
        "{% if nosuch == 1 %}{% endif %}",
        "{{ 'a' ~ nosuch }}",
        "{{ [nosuch] | join }}",
        "{{ nosuch | upper }}",
    ],
)
def test_undefined_name_is_an_error(render, text: str):
    """A name that does not exist never becomes an empty value in a phone's file."""
    with pytest.raises(RenderFailed, match=r"undefined|no element|no attribute"):
        render(text)


@pytest.mark.parametrize("text", ["{{ nothing }}", "{{ phone }}", "{{ lines }}", "{{ () }}"])
def test_only_texts_and_numbers_are_printed(render, text: str):
    """Null, lists and dictionaries in a file are mistakes and fail."""
    with pytest.raises(RenderFailed, match="cannot be printed"):
        render(text)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("{% if %}", Syntax.YEALINK),
        ("{{ 1 / 0 }}", Syntax.SNOM_XML),
        ("{{ 'a' + 1 }}", Syntax.YEALINK),
    ],
)
def test_broken_template_says_which_and_where_to_look(render, text: str, form: Syntax):
    """A failure names the template and what to do about it."""
    with pytest.raises(RenderFailed, match=r"'t\.j2'") as caught:
        render(text, form)
    assert "check" in caught.value.remedy


def test_missing_template_fails(tmp_path):
    """A template that is not there is a failure of the render, not "not found"."""
    with pytest.raises(RenderFailed, match=r"gone\.j2"):
        render_template((tmp_path,), "gone.j2", Syntax.YEALINK, {})


def test_usual_templates_work(render):
    """What dialects need is there: loops, macros, includes, filters and formats."""
    text = (
        "{% from 'macros.j2' import pair %}"
        "{% for line in lines if line.label != 'two' %}{{ loop.index }}/{{ loop.length }} "
        "{{ pair('label', line.label | upper) }}{% endfor %}"
        "{% include 'more.j2' %}"
        "{{ '%02d:%02d' | format(7, 5) }} {{ '%02x' % 255 }} {{ phone.keys }} {{ true }}"
        " {{ [1, 2] | map('string') | join(',') }} {{ 'a-b'.split('-') | last }}"
        " {{ 'abc'.replace('b', 'x') | replace('c', '') }} {{ nosuch | default(5060) }}"
    )
    others = {
        "macros.j2": "{% macro pair(name, value) %}{{ name }} = {{ value }}{% endmacro %}",
        "more.j2": " {{ phone.name }} ",
    }
    assert render(text, others=others) == ("1/1 label = ONE Ada 07:05 ff 3 1 1,2 b ax 5060")


@pytest.mark.parametrize(
    "text",
    [
        "{{ name }}",
        "{{ 'x' ~ name }}",
        "{{ 'x' + name }}",
        "{% macro m(v) %}{{ v }}{% endmacro %}{{ m('x') ~ name }}",
        "{% macro m(v) %}{{ v }}{% endmacro %}{{ m(name) }}",
        "{% macro m(v) %}{{ v }}{% endmacro %}{{ m('x') + name }}",
        "{% macro m(v) %}{{ v }}{% endmacro %}{{ [m('x'), name] | join(',') }}",
        "{% set m %}x{% endset %}{{ [m, 'y'] | join(name) }}",
        "{% set m %}x{% endset %}{{ m ~ name }}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{% filter upper %}{{ name }}{% endfilter %}",
        "{{ '%s' | format(name) }}",
        "{{ name | default('') }}",
        "{{ [name] | first }}",
        "{% macro n() %}{{ caller(name) }}{% endmacro %}{% call(x) n() %}{{ x }}{% endcall %}",
    ],
)
@pytest.mark.parametrize("form", list(Syntax))
def test_no_expression_gets_a_line_break_into_a_file(render, text: str, form: Syntax):
    """However a value is put together, its line breaks are refused in every form."""
    with pytest.raises(UnsafeValue, match=r"U\+000A"):
        render(text, form, name="Ada\naccount.1.enable = 0")


def test_parts_are_escaped_by_the_form_of_the_file(render):
    """What is joined to escaped text is escaped as its file asks, not as HTML."""
    text = "{% set m %}{{ name }}{% endset %}{{ m ~ name }}"
    assert render(text, Syntax.YEALINK, name="a&b") == "a&ba&b"
    assert render(text, Syntax.SNOM_XML, name="a&b") == "a&amp;ba&amp;b"


@pytest.mark.parametrize(
    "text",
    [
        "{% set m %}{{ name }}{% endset %}{{ m | replace('&', '') }}",
        "{% set m %}{{ name }}{% endset %}{{ m.replace('&', name) }}",
        "{% set m %}{{ name }}{% endset %}{{ m | upper }}",
        "{% set m %}{{ name }}{% endset %}{{ m % 1 }}",
        "{% set m %}{{ name }}{% endset %}{{ m.join([name]) }}",
    ],
)
def test_escaped_text_is_not_changed_again(render, text: str):
    """Changing text after it was escaped would break its escapes, and is refused."""
    with pytest.raises(RenderFailed, match="SecurityError"):
        render(text, Syntax.SNOM_XML, name="a&b")


@pytest.mark.parametrize(
    "text",
    [
        "{{ password }}",
        "{{ password.encode() }}",
        "{{ password.center(3) }}",
        "{{ password * 3 }}",
        "{{ password + 1 }}",
        "{{ '%d' % password }}",
        "{% set m %}{{ 'pass' }}word{% endset %}{{ m.join([password]) }}",
    ],
)
def test_failures_do_not_tell_values(render, text: str):
    """The message of a failure never holds the value that caused it: it may be a password."""
    with pytest.raises(RenderFailed) as caught:
        render(text, password="s3cret\n")
    assert "s3cret" not in str(caught.value)


def test_replace_works_inside_a_loop(render):
    """The method replaces in loops and blocks as it does outside of them."""
    text = "{% for line in lines %}{{ line.label.replace('o', '0') }},{% endfor %}"
    assert render(text) == "0ne,tw0,"
