"""Versions and workflows that are kept by hand agree with the package."""

import yaml
from checkout import ROOT

from keras_bahdanau import __version__


def read_yaml(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_citation_is_of_this_version():
    citation = read_yaml("CITATION.cff")
    assert citation["version"] == __version__
    assert citation["references"][0]["url"] == "https://arxiv.org/abs/1409.0473"


def test_the_changelog_begins_with_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.partition("\n## ")[2].split()[0] == __version__


def test_a_release_is_tested_before_it_is_published():
    jobs = read_yaml(".github/workflows/release.yml")["jobs"]
    assert jobs["publish"]["needs"] == "test" and jobs["test"]["needs"] == "build"
    programs = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert programs == ["tools/test_built_package.sh dist"]
    assert (ROOT / programs[0].split()[0]).stat().st_mode & 0o111


def test_every_push_runs_all_checks():
    (job,) = read_yaml(".github/workflows/test.yml")["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
