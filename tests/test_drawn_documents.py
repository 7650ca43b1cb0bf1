"""The layers in the documents match import-linter, and the Vietnamese README matches the English one."""

import re
import tomllib

import pytest

from tests.documents import MARKDOWN, links
from tests.processes import ROOT

pytestmark = pytest.mark.once

ENGLISH, VIETNAMESE = ROOT / "README.md", ROOT / "docs" / "README.vi.md"
LANGUAGES = {ENGLISH, VIETNAMESE}  # each links to the other


def layers(package: str) -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [found] = [contract["layers"] for contract in contracts if contract.get("containers") == [package]]
    return [set(re.split(r" [|:] ", layer)) for layer in found]


@pytest.mark.parametrize("package", ["mlops", "recommender", "catalog"])
def test_drawn_layers_are_those_of_the_contracts(package):
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    drawn = [set(text.split(" | ")) for text in re.findall(rf'{package}_\d+\["([^"]+)"\]', page)]
    places = [[place for place, names in enumerate(layers(package)) if box <= names] for box in drawn]

    assert len(drawn) > 5
    assert all(len(found) == 1 for found in places), drawn
    assert places == sorted(places)


def shape(file) -> tuple[list[str], list[str], list[str]]:
    """Returns levels of headings, code blocks without comments, and the code that begins table rows."""
    text = file.read_text(encoding="utf-8")
    tokens = MARKDOWN.parse(text)
    code = [re.sub(r"\s*# .*", "", token.content) for token in tokens if token.type in ("fence", "code_block")]
    rows = re.findall(r"^\| (`[^|]+?) \|", text, re.MULTILINE)
    return [token.tag for token in tokens if token.type == "heading_open"], code, rows


def test_the_vietnamese_readme_keeps_in_step():
    assert shape(VIETNAMESE) == shape(ENGLISH)


def test_both_readmes_link_to_the_same():
    found = {file: [(file.parent / target).resolve() for page, target in links() if page == file] for file in LANGUAGES}

    assert [at for at in found[VIETNAMESE] if at not in LANGUAGES] == [
        at for at in found[ENGLISH] if at not in LANGUAGES
    ]
