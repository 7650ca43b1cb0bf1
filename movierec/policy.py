"""The policy of the site: the defaults of all apps, overridden by `config.yaml`.

`settings.POLICY` is the only instance. An unknown key or an invalid value stops the start with an error naming the key.
"""

import json
import logging
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from catalog.policy import CatalogPolicy, Section, key
from mlops.policy import RENAMED_SCHEDULES, MLOpsPolicy
from recommender.policy import RecommenderPolicy

logger = logging.getLogger(__name__)

# Former names of keys and sections, mapped to the current names. None marks a key without any effect.
RENAMED: dict[str, str | None] = {f"schedules.{old}": f"schedules.{new}" for old, new in RENAMED_SCHEDULES.items()}
RENAMED |= json.loads(Path(__file__).with_name("renamed_policy_keys.json").read_text("utf-8"))
Rate = Annotated[str, Field(pattern=r"^\d+/(s|sec|second|m|min|minute|h|hour|d|day)$")]
# Every process reads the policy on start. The C loader is as safe and eight times as fast.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PolicyError(ValueError):
    """config.yaml is invalid. The message contains the file, the line, the key and the expected value."""


class LimitsPolicy(Section):
    """Rate limits in REST framework's notation, such as 60/min."""

    anonymous: Rate = key("60/min", "requests of one address without an account")
    user: Rate = key("600/min", "requests by one API key, and by one account in its browsers and signed-in programs")
    sign_up: Rate = key("20/hour", "new accounts from one address")
    token: Rate = key("20/min", "attempts to sign in from one address, and with one name or e-mail address")
    second_factor: Rate = key("20/hour", "codes of an authenticator app, and recovery codes, given for one account")
    mail: Rate = key("10/hour", "mails that visitors cause, by their address and by that of the recipient")
    service: Rate = key("600000/min", "lists of others that a service asks for, by one API key")
    keys: Rate = key("60/hour", "new API keys of one account")
    imports: Rate = key("30/hour", "uploads of one account")
    following: Rate = key("30/hour", "sources that one account adds or syncs at once")
    bulk: Rate = key("120/min", "requests to the bulk API")
    hooks: Rate = key("300/min", "events of media servers, by one secret address and from one address")
    feeds: Rate = key("120/min", "requests for feeds, by one secret address and from one address")


class Policy(MLOpsPolicy, RecommenderPolicy, CatalogPolicy):
    limits: LimitsPolicy = LimitsPolicy()


def load_policy(path: Path) -> Policy:
    """Return the defaults, overridden by the keys in `path`. Raises PolicyError with one line per invalid key."""
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=_Loader)
    except FileNotFoundError:
        raise PolicyError(f"{path}: not found; it holds the site's policy and may be empty") from None
    except yaml.YAMLError as error:
        raise PolicyError(f"{path}: not valid YAML: {error}") from None
    try:
        return Policy.model_validate(_with_present_names({} if content is None else content, path))
    except ValidationError as error:
        raise PolicyError("\n".join(_sentence(path, text, one) for one in error.errors())) from None


def keys(model: type[BaseModel] = Policy, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield each valid key of config.yaml, prefixed with its section, and its field."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{field.alias or name}", field


def _with_present_names(content: Any, path: Path) -> Any:
    if not isinstance(content, dict):
        return content
    present: dict[Any, Any] = {}
    changed: set[str] = set()
    for section, values in content.items():
        new_section = RENAMED.get(section, section)
        changed |= {section} & RENAMED.keys()
        if not isinstance(values, dict | None):
            raise PolicyError(f"{path}: {section}: expected keys of this section, got {values!r}")
        if not values:
            present.setdefault(new_section, {})
        for name, value in (values or {}).items():
            changed |= {f"{section}.{name}"} & RENAMED.keys()
            new = RENAMED.get(f"{section}.{name}", f"{new_section}.{name}")
            if new is None:
                continue
            holder, _, new_name = new.partition(".")
            if new_name in present.setdefault(holder, {}):
                raise PolicyError(f"{path}: {new}: given twice, by its present name and an older one")
            present[holder][new_name] = value
    if changed:
        names = ", ".join(f"{old} is now {RENAMED[old] or 'gone'}" for old in sorted(changed))
        logger.warning("%s uses names of an older version, which still work: %s.", path, names)
    return present


def _sentence(path: Path, text: str, error: ErrorDetails) -> str:
    where = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = [*Policy.model_fields, *(name for name, _ in keys())]
        message = f"there is no such key; the nearest is {get_close_matches(where, known, n=1, cutoff=0)[0]}"
    line = _line_of(error["loc"], yaml.compose(text, Loader=_Loader))
    return f"{path}{f', line {line}' if line else ''}: {where or '(top)'}: {message}"


def _line_of(loc: tuple[int | str, ...], node: yaml.Node | None) -> int | None:
    line = None
    for name in loc:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next((pair for pair in pairs if pair[0].value == name), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
