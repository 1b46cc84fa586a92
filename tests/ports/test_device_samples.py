"""The Android and iOS samples against an exported directory: what can be said without compilers."""

import json
import re
import shlex
import xml.etree.ElementTree as ElementTree

import pytest
from ai_edge_litert import schema_py_generated as schema
from checkout import EXAMPLES
from small_translator import small_translator

from keras_bahdanau.command_line.main import build_parser
from keras_bahdanau.export import runtime
from keras_bahdanau.export.litert import export_litert, tokenizer_file

pytestmark = pytest.mark.ports

ANDROID, IOS = EXAMPLES / "android", EXAMPLES / "ios"
KOTLIN = ANDROID / "app" / "src" / "main" / "kotlin" / "com" / "example" / "translator"
SWIFT = IOS / "Sources" / "TranslatorCore"
SAMPLES = pytest.mark.parametrize("sample", ["android", "ios"])
NAME = "{http://schemas.android.com/apk/res/android}name"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "litert"
    return export_litert(small_translator(), directory, quantization="int8")


@pytest.fixture(scope="module")
def manifest(exported):
    return json.loads((exported / "manifest.json").read_text(encoding="utf-8"))


def source(sample, module):
    """Text of a module of a sample: they have the same names in both."""
    path = KOTLIN / f"{module}.kt" if sample == "android" else SWIFT / f"{module}.swift"
    return path.read_text(encoding="utf-8")


def keys_of(value):
    """All keys of a JSON value, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set()


def keys_read(sample, modules, not_keys=()):
    """What a sample asks of JSON objects."""
    pattern = r'json\w*\.(?:get|opt)\w*\("(\w+)"|it\.get\w+\("(\w+)"|\.get\w+\("(\w+)"'
    if sample == "ios":
        pattern = r"^ +(?:public )?let (\w+): "
    found = set()
    for module in modules:
        for groups in re.findall(pattern, source(sample, module), flags=re.MULTILINE):
            found.update([groups] if isinstance(groups, str) else filter(None, groups))
    return found - set(not_keys)


@SAMPLES
def test_signatures_and_tensors_have_the_names_of_the_export(sample, manifest):
    names = set(manifest["signatures"])
    for signature in manifest["signatures"].values():
        names |= set(signature["inputs"]) | set(signature["outputs"])
    used = set(re.findall(r'"(\w+)"', source(sample, "Translator")))
    # States are carried by whatever names they have.
    assert names - used == {"state_0"}
    assert used <= names


@SAMPLES
def test_the_keys_that_are_read_are_in_the_manifest(sample, manifest):
    modules = {"android": ["ExportedFiles"], "ios": ["Manifest"]}[sample]
    read = keys_read(sample, modules, not_keys=["content", "format", "format_version"])
    assert read <= keys_of(manifest)
    required = {"max_length", "max_target_length", "beam_width", "special_ids", "length_bound"}
    assert required | {"pad_id", "unknown_id", "start_id", "end_id", "sha256", "shape"} <= read


@SAMPLES
def test_the_keys_that_are_read_are_in_the_tokenizer_file(sample, exported):
    description = json.loads((exported / "tokenizer.json").read_text(encoding="utf-8"))
    module = {"android": "Tokenizer", "ios": "TokenizerFile"}[sample]
    read = keys_read(sample, [module], not_keys=["text", "score", "type"])
    assert set(description) - read == {"format", "format_version", "normalizer"}
    assert read <= set(description)


@SAMPLES
def test_the_formats_are_those_of_the_exporter(sample):
    text = source(sample, "ExportedFiles") + source(sample, "Tokenizer")
    if sample == "ios":
        text += source(sample, "Manifest") + source(sample, "TokenizerFile")
    formats = {runtime.FORMAT: runtime.FORMAT_VERSION}
    formats[tokenizer_file.FORMAT] = tokenizer_file.FORMAT_VERSION
    pattern = r'FORMAT = "([\w-]+)"\s+(?:private )?const val FORMAT_VERSION = (\d+)'
    if sample == "ios":
        pattern = r'format: "([\w-]+)", version: (\d+)'
    found = {name: int(version) for name, version in re.findall(pattern, text)}
    assert found == formats
    for file in (runtime.FILE_NAME, runtime.MANIFEST_NAME, tokenizer_file.TOKENIZER_FILE_NAME):
        assert f'"{file}"' in text


@SAMPLES
def test_spaces_are_those_of_python(sample):
    """The runtime splits texts with `str.isspace`, so the samples do."""
    text = source(sample, "Splitting")
    if sample == "ios":
        (cases,) = re.findall(r"case (0x.*?):\n +return true", text, flags=re.DOTALL)
        ranges = [part.split("...") for part in re.findall(r"[0-9A-Fx.]+", cases)]
        ends = [(int(each[0], 16), int(each[-1], 16)) for each in ranges]
    else:
        (body,) = re.findall(r"fun isSpace.*? =\n(.*?)\n\n", text, flags=re.DOTALL)
        body = body.encode("ascii").decode("unicode_escape")
        (singles,) = re.findall(r'in "(.*)"', body)
        ranges = re.findall(r"'(.)'\.\.'(.)'", body, flags=re.DOTALL)
        ranges += [(character, character) for character in singles]
        ends = [(ord(first), ord(last)) for first, last in ranges]
    spaces = {code for first, last in ends for code in range(first, last + 1)}
    assert spaces == {code for code in range(0x110000) if chr(code).isspace()}


@SAMPLES
def test_the_page_says_that_it_was_not_run_and_its_command_exists(sample):
    page = (EXAMPLES / sample / "README.md").read_text(encoding="utf-8")
    assert "**Not run here: no device" in page
    (command,) = re.findall(r"^ *(keras-bahdanau export .*)$", page, flags=re.MULTILINE)
    options = build_parser().parse_args(shlex.split(command)[1:])
    assert options.format == "litert"
    for path in re.findall(r"`((?:\w+/)?\w+\.(?:kt|swift))`", page):
        assert len([*(EXAMPLES / sample).glob(f"**/{path}")]) == 1, path


def test_the_runtime_that_is_asked_for_is_new_enough(exported):
    content = (exported / "translator.tflite").read_bytes()
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    (index,) = [each.buffer for each in model.metadata if each.name == b"min_runtime_version"]
    needed = bytes(model.buffers[index].data).rstrip(b"\0").decode()
    (pod,) = re.findall(r"'~> ([\d.]+)'", (IOS / "Podfile").read_text())
    assert tuple(map(int, needed.split("."))) <= tuple(map(int, pod.split(".")))


def test_the_android_project_belongs_together():
    manifest = ElementTree.parse(ANDROID / "app" / "src" / "main" / "AndroidManifest.xml")
    (activity,) = manifest.iter("activity")
    assert (KOTLIN / f"{activity.attrib[NAME].removeprefix('.')}.kt").is_file()
    values = ANDROID / "app" / "src" / "main" / "res" / "values"
    strings = {each.attrib["name"] for each in ElementTree.parse(values / "strings.xml").getroot()}
    styles = {each.attrib["name"] for each in ElementTree.parse(values / "styles.xml").getroot()}
    used = re.findall(r"R\.string\.(\w+)", source("android", "MainActivity"))
    text = ElementTree.tostring(manifest.getroot(), encoding="unicode")
    assert {*used, *re.findall(r"@string/(\w+)", text)} == strings
    assert set(re.findall(r"@style/(\w+)", text)) == styles
    build = (ANDROID / "app" / "build.gradle.kts").read_text()
    (package,) = re.findall(r'namespace = "(.*)"', build)
    for path in ANDROID.glob("**/*.kt"):
        assert path.read_text(encoding="utf-8").startswith(f"package {package}\n")
    (version,) = re.findall(r'"com.google.ai.edge.litert:litert:(.*)"', build)
    assert f"version {version}," in (ANDROID / "README.md").read_text(encoding="utf-8")


def test_the_ios_project_belongs_together():
    package = (IOS / "Package.swift").read_text()
    targets = set(re.findall(r'arget\(name: "(\w+)"', package))
    assert targets == {path.name for path in IOS.glob("[ST]*s/*")}
    (app, tests) = re.findall(r"target '(\w+)'", (IOS / "Podfile").read_text())
    golden = (IOS / "AppTests" / "GoldenTests.swift").read_text(encoding="utf-8")
    assert f"@testable import {app}\n" in golden
    assert f"`{tests}`" in (IOS / "README.md").read_text(encoding="utf-8")
