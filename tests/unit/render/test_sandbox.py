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
        "{% set x = ['a' for_ever] %}"
        if False
        else "{% set x = '%050000d' | replace('%0', 'a') %}{% set y = ['a', x] | join %}"
        "{% for a in range(2000) %}{% for b in range(90) %}{% set z = (y ~ y) | upper %}"
        "{% set z = z ~ z ~ z ~ z ~ z ~ z ~ z ~ z %}{% set z = z ~ z ~ z ~ z ~ z ~ z ~ z %}"
        "{% endfor %}{% endfor %}"
    ),
    "a loop that recurses": (
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}"
    ),
    "includes that double": "{% set n = 40 %}{% include 'again.j2' %}",
    "an include without end": "{% include 't.j2' %}",
}
