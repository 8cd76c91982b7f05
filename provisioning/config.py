"""The server's configuration: the environment over a TOML file over built-in defaults.

A key is written once, as a field below; its environment variable is its path in capitals with the
prefix ``PROVISIONING_`` and ``__`` between levels. A key, variable or value that means nothing
here stops the start: a typing error must not quietly leave a default in force.
"""

from __future__ import annotations

import difflib
import json
import socket
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from provisioning.config_types import (
    DatabaseUrl,
    Email,
    Folder,
    Hosts,
    HttpsUrl,
    HttpUrl,
    LogLevel,
    Networks,
    Number,
    Password,
    Port,
    Url,
    is_loopback,
)
from provisioning.domain.errors import BadConfig
from provisioning.vendors.folders import shipped_root
