"""Every link of the documentation into this repository leads somewhere."""

import re
from pathlib import Path

import pytest
from checkout import ROOT
from markdown_pages import anchors, link_targets

REPOSITORY = "https://github.com/keras-bahdanau/keras-bahdanau"
INTO_REPOSITORY = re.compile(
    rf"{REPOSITORY}/(?:blob|tree)/main/|"
    "https://raw.githubusercontent.com/keras-bahdanau/keras-bahdanau/main/"
)
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "examples/*/README.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)


def broken(target, page):
    """Why a link does not lead anywhere, or `None`. Links to elsewhere are not followed."""
    local = INTO_REPOSITORY.match(target)
    if local:
        path, _, anchor = target[local.end() :].partition("#")
        place = ROOT / path
    elif re.match(r"[a-z]+:", target):
        return None
    else:
        path, _, anchor = target.partition("#")
        place = (page.parent / path) if path else page
    if not place.exists():
        return f"no file {place}"
    if anchor and anchor not in anchors(place.read_text(encoding="utf-8")):
        return f"no heading {anchor} in {place}"
    return None


def test_the_pages_are_found():
    expected = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/RESULTS.md"}
    assert expected | {"docs/README.md", "docs/layers.md", "examples/web/README.md"} <= {*PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    path = ROOT / page
    found = {
        target: broken(target, path) for target in link_targets(path.read_text(encoding="utf-8"))
    }
    assert {target: reason for target, reason in found.items() if reason} == {}


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_a_page_names_exists(page):
    path = ROOT / page
    names = re.findall(r"`((?:\w+/)*\w+\.py)`", path.read_text(encoding="utf-8"))
    folders = (path.parent, ROOT, ROOT / "keras_bahdanau")
    assert [name for name in names if not any((at / name).is_file() for at in folders)] == []


def test_links_of_the_readme_are_absolute():
    # A package page shows the README without the files beside it.
    targets = link_targets((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [target for target in targets if not target.startswith("https://")] == []


def test_every_page_is_in_the_index():
    index = ROOT / "docs" / "README.md"
    linked = {Path(target).name for target in link_targets(index.read_text(encoding="utf-8"))}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} <= linked


def test_a_broken_link_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One `two`: three!\n[a](page.md#one-two-three) [b](#gone) [c](gone.md)\n")
    targets = link_targets(page.read_text())
    assert [bool(broken(target, page)) for target in targets] == [False, True, True]
    assert broken(f"{REPOSITORY}/blob/main/README.md", page) is None
    assert broken(f"{REPOSITORY}/blob/main/gone.md", page)
    with pytest.raises(ValueError, match=r"labels that the page defines.*\['gone'\]"):
        link_targets("[a][gone]")
