"""Checking vendor folders: what is said of each fault, and that one fault stops nobody else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provisioning.domain.errors import BrokenRule
from provisioning.usecases.check import Severity, accept, check_vendors, write_golden
from provisioning.usecases.scaffold import new_vendor
from provisioning.vendors.folders import shipped_root
from provisioning.vendors.registry import Registry, load_registry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two good vendors, acme and other."""
    for name in ("acme", "other"):
        new_vendor(load_registry([tmp_path]), name, tmp_path)
    return tmp_path


@pytest.fixture
def acme(root: Path) -> Path:
    """The folder of a good vendor beside another."""
    return root / "acme"


def edit(file: Path, old: str, new: str) -> None:
    """Put another text in place of one that stands once in a file."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def findings(root: Path):
    """Everything the check has to say of a folder of vendors."""
    return check_vendors(load_registry([root]))


def put_above(folder: Path, text: str) -> None:
    """Add lines to the top of a vendor.toml, above its tables."""
    edit(folder / "vendor.toml", 'boot = ["mac"]', f'boot = ["mac"]\n{text}')


def put_below(folder: Path, text: str) -> None:
    """Add tables to the end of a vendor.toml."""
    with (folder / "vendor.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_shipped_vendors_are_clean(shipped_vendors: Registry, monkeypatch: pytest.MonkeyPatch):
    """There is nothing to say of the vendor folders that ship."""
    # The tests of golden cases render every shipped model already.
    monkeypatch.setattr("provisioning.usecases.check.every_model", lambda *_: ())
    assert [str(finding) for finding in check_vendors(shipped_vendors)] == []


def test_good_folders_are_clean(root: Path):
    """There is nothing to say of two new vendors."""
    assert findings(root) == []


AGENT = """
[[user_agents]]
pattern = '{pattern}'
examples = [{{ text = "{text}", model = "{model}" }}]
"""


def agent(pattern: str, text: str, model: str) -> str:
    """A user agent block."""
    return AGENT.format(pattern=pattern, text=text, model=model)


BROKEN = [
    ("id =", "id = =", "not TOML: ", "Mend the line named."),
    ('id = "acme"', 'id = "acne"', "id is 'acne' but the folder is 'acme'", 'id = "acme"'),
    ("lines = 2", "lnies = 2", "'models.0.lnies' is not a key", "remove it"),
    ("lines = 2", 'lines = "two"', "'models.0.lines' is 'two'", "valid integer"),
    ('pattern = "{mac}.cfg"', "", "'files.0.pattern' is missing", "write it"),
    ('syntax = "yealink"', 'syntax = "yaml"', "'files.0.syntax' is 'yaml'", "write one of 'yealink'"),
    ("mac.cfg.j2", "mca.cfg.j2", "template 'mca.cfg.j2' is not in the folder", "write it"),
    ("secret = true", "secret = false", "a name with a MAC must be secret", "or it tells who"),
    ("session = true", "", "no file has session = true", "mark the one"),
    ("{mac}.cfg", "{nac}.cfg", "'{nac}.cfg' is no file name pattern", "see docs/vendors.md"),
    ("{mac}.cfg", "{mac}{x:99999999999}", "is no file name pattern", "see docs/vendors.md"),
    ('boot = ["mac"]', 'boot = ["cam"]', "boot: 'cam' is neither", "add it to one"),
    ("lines = 2", "traits = { x = 1 }", "trait 'x' has no default", "add it to [traits]"),
    ("session = true", "session = true\nonly = { x = 1 }", "only.x has no default", "add it to"),
    ('boot = ["mac"]', 'ouis = ["00:15:65"]', "OUI '00:15:65' must be", "lower-case hex digits"),
    ("lines = 2", 'names = ["a"]\n[[models]]\nid = "A"', "the name 'a' is also of", "take it from"),
    ('boot = ["mac"]', 'key_types = { x = "1" }', "key_types.x", "write one of"),
    ("[adopt.", agent("Acme (", "Acme 1", "1") + "[adopt.", "user agent pattern 'Acme ('", "mend"),
    ("[adopt.", agent("Acme", "Amce 1", "1") + "[adopt.", "'Amce 1' does not match", "mend one"),
    ("[adopt.", agent("Acme", "Acme 1", "1") + "[adopt.", "model is None, not '1'", "mend one"),
    ("[adopt.", agent("(?P<x>A)(?P<model>1)", "A1", "1") + "[adopt.", "user agent groups ['x']", "only model"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "what", "remedy"), BROKEN, ids=[b[2] for b in BROKEN])
def test_broken_folder_is_disabled_with_what_to_write(
    acme: Path, root: Path, old: str, new: str, what: str, remedy: str
):
    """A broken vendor.toml is one finding that says what to write, and the other vendor serves."""
    edit(acme / "vendor.toml", old, new)
    registry = load_registry([root])
    assert list(registry.vendors) == ["other"]
    assert list(registry.disabled) == ["acme"]
    [finding] = check_vendors(registry)
    assert finding.level is Severity.ERROR
    assert finding.vendor == "acme"
    assert finding.file == acme / "vendor.toml"
    assert what in str(finding)
    assert remedy in str(finding)


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('name = "Acme"', 'name = "Acme', 'name = "Acme'),
        ("lines = 2", "lnies = 2", "lnies = 2"),
        ("mac.cfg.j2", "mca.cfg.j2", 'template = "mca.cfg.j2"'),
    ],
)
def test_finding_names_the_line(acme: Path, root: Path, old: str, new: str, at: str):
    """Where the line can be known it is told."""
    edit(acme / "vendor.toml", old, new)
    [finding] = findings(root)
    lines = (acme / "vendor.toml").read_text(encoding="utf-8").splitlines()
    assert finding.line == lines.index(at) + 1


def test_every_fault_is_a_finding(acme: Path, root: Path):
    """Two faults of one file are two findings."""
    edit(acme / "vendor.toml", "secret = true", "secret = false")
    edit(acme / "vendor.toml", 'boot = ["mac"]', 'boot = ["cam"]')
    assert len(findings(root)) == 2


def test_folder_without_vendor_toml_is_told(root: Path):
    """An empty folder is disabled and told."""
    (root / "empty").mkdir()
    [finding] = findings(root)
    assert str(finding).endswith("empty: vendor.toml is missing.")


# --- overlaps


def test_user_agent_of_another_vendor_is_an_error(root: Path):
    """A pattern must not match another vendor's example, unless only the other knows the model."""
    put_below(root / "acme", agent("(?P<model>Example)", "Example 1", "Example"))
    put_below(root / "other", agent("^(?P<model>Example) ", "Example 2", "Example"))
    told = [finding.what for finding in findings(root)]
    assert any("claims 'Example 2', which is an example of other" in what for what in told)
    assert any("The model 'example' is also one of other" in what for what in told)


def test_shared_form_is_told_apart_by_the_model(root: Path):
    """Two dialects may share a form where each example's model is known to one of them only."""
    for name, model in (("acme", "A1"), ("other", "B1")):
        edit(root / name / "vendor.toml", 'id = "Example"', f'id = "{model}"')
        edit(root / name / "golden/full-user/case.toml", "Example", model)
        put_below(root / name, agent("^Brand (?P<model>[AB]1)", f"Brand {model}", model))
    assert findings(root) == []


def test_shared_oui_is_a_warning(root: Path):
    """A prefix of two makers is told without failing the check."""
    for name in ("acme", "other"):
        put_above(root / name, 'ouis = ["aabbcc"]')
    [finding] = findings(root)
    assert finding.level is Severity.WARNING
    assert "The OUI aabbcc is also one of acme." in str(finding)


def test_file_name_without_a_mac_belongs_to_one_vendor(root: Path):
    """Without a MAC nobody can tell whose a name is, so two vendors cannot serve it."""
    for name in ("acme", "other"):
        block = '\n[[files]]\nid = "common"\npattern = "common.cfg"\ntemplate = "mac.cfg.j2"\n'
        put_below(root / name, block + 'syntax = "yealink"\nsecret = false\n')
        write_golden(load_registry([root]).vendor(name))
    told = [finding.what for finding in findings(root)]
    assert told == [
        "The file name 'common.cfg' of 'common' is also one of other.",
        "The file name 'common.cfg' of 'common' is also one of acme.",
    ]


# --- golden cases


def test_vendor_without_a_golden_case_is_told(acme: Path, root: Path):
    """Each vendor needs one golden case at least."""
    shutil.rmtree(acme / "golden")
    [finding] = findings(root)
    assert finding.what == "There is no golden case."
    assert "--write-golden acme" in finding.remedy


def test_difference_is_told_with_its_line(acme: Path, root: Path):
    """A golden file that is not what is rendered is told with its first line that differs."""
    golden = acme / "golden/full-user/020000000001.cfg"
    edit(golden, "account.1.label = Ada 1001", "account.1.label = Ada")
    [finding] = findings(root)
    assert (finding.file, finding.line) == (golden, 3)
    assert "'account.1.label = Ada'" in finding.what
    assert "'account.1.label = Ada 1001'" in finding.what


def test_missing_and_superfluous_files_are_told(acme: Path, root: Path):
    """A case has exactly the files its phone gets."""
    golden = acme / "golden/full-user/020000000001.cfg"
    golden.rename(golden.with_name("older.cfg"))
    assert [finding.what for finding in findings(root)] == [
        "The file is not there.",
        "The phone of this case has no such file.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('of = "full-user"', 'of = "fool-user"', "there is no shared case 'fool-user'"),
        ('mac = "02:00:00:00:00:01"', 'mac = "02"', "'02' is not a MAC address"),
        ('mac = "02:00:00:00:00:01"', "lines = [{}]", "'user_name' is missing"),
        ('model = "Example"', "model = ", "The file describes no phone: Invalid value"),
    ],
)
def test_case_that_cannot_be_read_is_told(acme: Path, root: Path, old: str, new: str, what: str):
    """A case.toml that describes no phone is a finding, and the other vendor is checked still."""
    edit(acme / "golden/full-user/case.toml", old, new)
    found = findings(root)
    assert found[0].file == acme / "golden/full-user/case.toml"
    assert what in found[0].what
    assert {finding.vendor for finding in found} == {"acme"}


def test_parameter_without_a_source_is_told_once(acme: Path, root: Path):
    """Each parameter a golden file emits is named in NOTES.md, by itself or with a placeholder."""
    edit(acme / "NOTES.md", "`account.{n}.auth_name`", "`account.{n}.name`")
    [finding] = findings(root)
    assert finding.file == acme / "NOTES.md"
    assert "'account.1.auth_name'" in finding.what
    assert "Write `account.{n}.auth_name`" in finding.remedy


def test_file_no_case_shows_is_a_warning(acme: Path, root: Path):
    """A file rule that no golden case renders is told."""
    edit(acme / "vendor.toml", "[adopt.", "[traits]\nbig = false\n\n[adopt.")
    rule = '\n[[files]]\nid = "more"\npattern = "{mac}.more"\ntemplate = "mac.cfg.j2"\n'
    put_below(acme, rule + 'syntax = "yealink"\nonly = { big = true }\n')
    [finding] = findings(root)
    assert finding.level is Severity.WARNING
    assert "No golden case shows the file 'more'." in finding.what


# --- templates


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ line.colour }}", "has no attribute 'colour'"),
        ("{{ 1 + }}", "TemplateSyntaxError"),
        ("{% include 'none.j2' %}", "TemplateNotFound: 'none.j2'"),
    ],
)
def test_failing_template_is_told_with_its_line(acme: Path, root: Path, text: str, what: str):
    """A template that fails is told with the file and line in it."""
    template = acme / "mac.cfg.j2"
    edit(template, "{{ line.label }}", text)
    line = next(n for n, t in enumerate(template.read_text().splitlines(), 1) if text in t)
    [finding] = findings(root)
    assert (finding.file, finding.line) == (template, line)
    assert what in finding.what
    assert "(the case full-user). Mend the template." in str(finding)


def test_result_of_another_form_is_told(acme: Path, root: Path):
    """Every model's files are read back by their syntax."""
    edit(acme / "mac.cfg.j2", "account.{{ line.n }}.enable = 1", "no parameter")
    told = [finding.what for finding in findings(root)]
    assert any("not of the form 'yealink': line 2 is not 'key = value'" in what for what in told)


# --- overrides


@pytest.fixture
def overlaid(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the operator's own over acme, with a template of its own."""
    own = tmp_path_factory.mktemp("own")
    (own / "acme").mkdir()
    text = (root / "acme/mac.cfg.j2").read_text().replace("enable = 1", "enable = yes")
    (own / "acme/mac.cfg.j2").write_text(text)
    return own


def told(own: Path, root: Path) -> list[tuple[Severity, str]]:
    """Level and words of each finding of an overlaid folder."""
    return [(item.level, item.what) for item in check_vendors(load_registry([own, root]))]


def test_override_is_told_and_what_it_changes(overlaid: Path, root: Path):
    """An override is a note; a golden case that it changes is a warning."""
    first, second = told(overlaid, root)
    assert first[0] is Severity.WARNING
    assert "account.1.enable = yes" in first[1]
    assert second == (Severity.NOTE, "This file stands for the shipped acme/mac.cfg.j2.")


def test_golden_cases_of_an_override_are_the_operators(overlaid: Path, root: Path):
    """Writing golden cases of an overlaid vendor leaves the shipped ones as they are."""
    before = (root / "acme/golden/full-user/020000000001.cfg").read_bytes()
    written = write_golden(load_registry([overlaid, root]).vendor("acme"))
    assert written == [overlaid / "acme/golden/full-user"]
    assert (root / "acme/golden/full-user/020000000001.cfg").read_bytes() == before
    assert [level for level, _ in told(overlaid, root)] == [Severity.NOTE]


def test_shipped_file_that_changes_beneath_an_override_is_told(overlaid: Path, root: Path):
    """Once accepted, an override is quiet until the shipped file changes."""
    write_golden(load_registry([overlaid, root]).vendor("acme"))
    assert accept((overlaid, root)) == 1
    assert told(overlaid, root) == [
        (
            Severity.NOTE,
            "This file stands for the shipped acme/mac.cfg.j2, as it was when accepted.",
        )
    ]
    edit(root / "acme/mac.cfg.j2", "enable = 1", "enable = on")
    assert told(overlaid, root) == [
        (Severity.WARNING, "The shipped acme/mac.cfg.j2 has changed beneath this file.")
    ]


def test_damaged_record_of_overrides_counts_as_none(overlaid: Path, root: Path):
    """A record that is not JSON is as if nothing had been accepted."""
    (overlaid / ".based-on.json").write_text("{")
    assert told(overlaid, root)[-1][1] == "This file stands for the shipped acme/mac.cfg.j2."


@pytest.mark.parametrize("name", ["", "A", "-x", "a/b", "..", "a" * 41, "ümlaut"])
def test_scaffold_refuses_names_that_are_no_ids(tmp_path: Path, name: str):
    """A vendor's name is lower-case letters, digits and dashes, and nothing is made otherwise."""
    with pytest.raises(BrokenRule):
        new_vendor(load_registry([tmp_path]), name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_scaffold_names_every_key_of_the_schema(acme: Path):
    """A new vendor.toml shows every table that docs/vendors.md describes."""
    text = (acme / "vendor.toml").read_text()
    docs = (shipped_root().parent / "docs/vendors.md").read_text()
    keys = [line.split("`")[1] for line in docs.splitlines() if line.startswith("| `")]
    assert keys
    assert [key for key in keys if f"# {key} = " not in text] == []


def test_model_that_breaks_a_template_is_told(acme: Path, root: Path):
    """Models that no golden case shows are rendered too, with what they have of everything."""
    edit(acme / "vendor.toml", "lines = 2", 'lines = 2\n\n[[models]]\nid = "Big"\nlines = 3')
    edit(
        acme / "mac.cfg.j2",
        "{% for n in unused %}",
        "{% for n in [[], [1]][unused | length - 1] %}",
    )
    write_golden(load_registry([root]).vendor("acme"))
    [finding] = findings(root)
    assert finding.when.startswith("Big in the shared case ")


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("tls", "", "says nothing"),
        ("tls", 'public = true\nnone = "unknown"', "says both something and why"),
        ("reload", "", "says nothing"),
        ("reload", 'notify = "check-sync"\nnone = "unknown"', "says both something and why"),
    ],
)
def test_folder_that_leaves_something_unsaid_is_told(
    acme: Path, root: Path, name: str, table: str, said: str
):
    """A folder says what its phones trust and what reloads them, or why nothing is known of it."""
    text = (acme / "vendor.toml").read_text(encoding="utf-8")
    before, _, after = text.partition(f"[{name}]\n")
    rest = after[after.find("\n[") :] if "\n[" in after else ""
    (acme / "vendor.toml").write_text(f"{before}[{name}]\n{table}\n{rest}", encoding="utf-8")
    (finding,) = findings(root)
    assert said in finding.what
    assert f'{name}.none = "why not"' in finding.remedy
    assert finding.level is Severity.WARNING
