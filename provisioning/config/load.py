"""Reading the configuration: the environment over a TOML file over built-in defaults.

A key, variable or value that means nothing here stops the start: a typing error must not quietly
leave a default in force.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from provisioning.config.addresses import overlap
from provisioning.config.schema import KEYS, PREFIX, Config
from provisioning.domain.errors import BadConfig

CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""The variable that names the TOML file where ``--config`` does not."""

_BY_VARIABLE = {key.variable: path for path, key in KEYS.items()}
_SECTIONS = {path.rpartition(".")[0] for path in KEYS} - {""}
_NO_FACTORY = "default_factory_not_called"
_TCP_PORTS = (
    ("phones.http_port", "phones.host"),
    ("phones.https_port", "phones.host"),
    ("people.port", "people.host"),
    ("ops.port", "ops.host"),
)


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration; ``path`` is the TOML file, else ``PROVISIONING_CONFIG`` names it.

    Raises BadConfig, whose text is one line: the key, what it cannot be and what is allowed.
    """
    if path is None and environ.get(CONFIG_VARIABLE):
        path = Path(environ[CONFIG_VARIABLE])
    values = dict(_from_toml(_read(path), path)) if path is not None else {}
    values.update(_from_environment(environ))
    try:
        config = Config.model_validate(_nested(values))
    except ValidationError as error:
        # A default derived from a wrong value is reported too, behind that value.
        first = next(item for item in error.errors() if item["type"] != _NO_FACTORY)
        where = ".".join(str(part) for part in first["loc"])
        raise KEYS[where].refuse(first["input"]) from None
    _refuse_same_port(config)
    _refuse_half_an_admin(config)
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"The configuration file '{path}' cannot be read: {error.strerror}."
        remedy = f"Mend it, or name another by --config or {CONFIG_VARIABLE}."
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        what = f"The configuration file '{path}' is not TOML in UTF-8: {error}."
        remedy = "Mend the line named."
    raise BadConfig(" ".join(what.split()), remedy=remedy)


def _from_toml(
    table: Mapping[str, Any], path: Path, prefix: str = ""
) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        where = prefix + name
        if where in KEYS:
            yield where, value
        elif where in _SECTIONS and isinstance(value, dict):
            yield from _from_toml(value, path, f"{where}.")
        else:
            raise BadConfig(
                f"{where!r} in '{path}' is no configuration key.",
                remedy=_nearest(where, sorted(KEYS)),
                field=where,
            )


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    for name, value in environ.items():
        if name in _BY_VARIABLE:
            yield _BY_VARIABLE[name], value
        elif name.startswith(PREFIX) and name != CONFIG_VARIABLE:
            raise BadConfig(
                f"{name} is no configuration variable.",
                remedy=_nearest(name, sorted(_BY_VARIABLE)),
                field=name,
            )


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]}?" if near else "Remove it; docs/configuration.md lists them."


def _nested(values: Mapping[str, object]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for path, value in values.items():
        *sections, name = path.split(".")
        table = tables
        for section in sections:
            table = table.setdefault(section, {})
        table[name] = value
    return tables


def _value(config: Config, path: str) -> Any:
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _refuse_same_port(config: Config) -> None:
    """Two TCP listeners cannot share an address; TFTP is UDP and in nobody's way."""
    for (one, one_host), (other, other_host) in combinations(_TCP_PORTS, 2):
        port = _value(config, one)
        if not port or port != _value(config, other):
            continue
        for first in _value(config, one_host):
            if any(overlap(first, second) for second in _value(config, other_host)):
                raise BadConfig(
                    f"{other} ({KEYS[other].variable}) cannot be {port}: {one} has it on {first}.",
                    remedy="Give another port, or 0 to switch the listener off.",
                    field=other,
                )


def _refuse_half_an_admin(config: Config) -> None:
    if config.admin_password is not None and config.admin_email is None:
        raise BadConfig(
            f"admin_password ({KEYS['admin_password'].variable}) has no login it belongs to.",
            remedy=f"Give {KEYS['admin_email'].variable} too.",
            field="admin_email",
        )
