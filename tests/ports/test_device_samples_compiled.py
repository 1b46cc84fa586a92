"""The Android and iOS samples, compiled here without a device: all but LiteRT and the screen.

Their own unit tests run on vectors of random texts, and their translators on an exported file
whose signatures a Python process runs. Exhaustive: it takes compilers that few machines have.
"""

import json
import os
import random
import shutil
import subprocess
import sys

import pytest
from checkout import EXAMPLES, SUPPORT
from random_texts import random_texts
from small_translator import small_translator

from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.runtime import LiteTranslator

pytestmark = [pytest.mark.ports, pytest.mark.exhaustive]
BRIDGE = SUPPORT / "sample_bridge"
SWIFT_PACKAGE = """// swift-tools-version: 5.9
import PackageDescription
let package = Package(
    name: "Samples",
    platforms: [.macOS(.v12)],
    targets: [
        // CRYPTO
        .target(name: "TranslatorCore"CORE_NEEDS),
        .executableTarget(name: "Bridge", dependencies: ["TranslatorCore"]),
        .testTarget(name: "TranslatorCoreTests", dependencies: ["TranslatorCore"]),
    ]
)
"""
# What the sample needs of CryptoKit, which Apple's systems alone have.
CRYPTO_KIT = """import Foundation
public enum SHA256 {
    public static func hash(data: Data) -> [UInt8] {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        process.standardInput = input
        process.standardOutput = output
        try! process.run()
        input.fileHandleForWriting.write(data)
        try! input.fileHandleForWriting.close()
        let digits = Array(output.fileHandleForReading.readDataToEndOfFile().prefix(64))
        return stride(from: 0, to: 64, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
        }
    }
}
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An exported directory with vectors of 10,000 random texts more."""
    translator = small_translator()
    directory = export_litert(translator, tmp_path_factory.mktemp("samples") / "litert")
    processor = LiteTranslator(directory).tokenizer
    pieces = [processor.IdToPiece(i) for i in range(4, processor.GetPieceSize())]
    with (directory / "tokenizer_vectors.jsonl").open("a", encoding="ascii") as file:
        for text in random_texts(10_000, pieces, seed=5):
            ids = processor.EncodeAsIds(text)
            vector = {
                "text": text,
                "normalized": processor.Normalize(text),
                "pieces": processor.EncodeAsPieces(text),
                "ids": ids,
                "decoded": processor.DecodeIds(ids),
            }
            file.write(json.dumps(vector) + "\n")
    return directory


def needed(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} on the PATH")


def run(*command, **options):
    finished = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        **options,
    )
    assert finished.returncode == 0, finished.stdout[-3000:]
    return finished.stdout


def long_and_short_texts(translator):
    """Texts of every length with sentence ends of every kind."""
    draw = random.Random(3)
    pieces = [translator.tokenizer.IdToPiece(i) for i in range(4, 48)]
    parts = list(random_texts(400, pieces, seed=6))
    ends = [". ", "! ", "? ", "\u2026\n", "\u3002", "\uff01 ", " ", ".", "\u0085", ".\u3000"]
    texts = ["", " \n", "casa" * 60, "\U0001f600" * 70, "e\u0301" * 50]
    for _ in range(100):
        count = draw.choice((1, 1, 2, 4, 8))
        texts.append("".join(draw.choice(parts) + draw.choice(ends) for _ in range(count)))
    return texts


def assert_translates_as_python_does(exported, tmp_path, *program):
    translator = LiteTranslator(exported)
    texts = long_and_short_texts(translator)
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps([text]) + "\n" for text in texts))
    server = [sys.executable, BRIDGE / "signature_server.py", exported]
    output = run(*program, exported, tmp_path / "texts.jsonl", *server)
    answers = [json.loads(line) for line in output.split("\n") if line]
    greedy = translator.translate(texts, beam_width=1)
    assert [answer["greedy"] for answer in answers] == greedy
    assert [answer["stream"] for answer in answers] == greedy
    assert [answer["beam"] for answer in answers] == translator.translate(texts)
    assert [answer["ids"] for answer in answers] == [*map(translator.source_ids, texts)]
    assert 0.5 < max(answer["attention"] for answer in answers) < 1.0001
    assert len(set(greedy)) > 50


def test_the_android_sample(exported, tmp_path):
    needed("kotlinc", "java")
    jars = os.environ.get("CLASSPATH", "")
    if not all(name in jars for name in ("kotlin-stdlib", "json", "junit", "hamcrest")):
        pytest.skip("needs a CLASSPATH with jars of kotlin-stdlib, org.json, junit and hamcrest")
    app = EXAMPLES / "android" / "app" / "src"
    sources = [
        path
        for path in (*app.glob("main/**/*.kt"), *app.glob("test/**/*.kt"), *BRIDGE.glob("*.kt"))
        if path.stem not in ("MainActivity", "LiteRtSignatures")
    ]
    assert len(sources) == 11
    run("kotlinc", "-no-stdlib", "-no-reflect", "-cp", jars, "-d", tmp_path / "classes", *sources)
    (tmp_path / "src" / "main").mkdir(parents=True)
    (tmp_path / "src" / "main" / "assets").symlink_to(exported)
    java = ("java", "-cp", f"{tmp_path / 'classes'}:{jars}")
    tests = [f"com.example.translator.{p.stem}" for p in app.glob("test/**/*Test.kt")]
    output = run(*java, "org.junit.runner.JUnitCore", *tests, cwd=tmp_path)
    assert f"OK ({occurrences('@Test', app / 'test')} tests)" in output
    program = (*java, "com.example.translator.SampleBridgeKt")
    assert_translates_as_python_does(exported, tmp_path, *program)


def occurrences(mark, folder):
    files = [path for path in folder.glob("**/*") if path.is_file()]
    return sum(path.read_text(encoding="utf-8").count(mark) for path in files)


def test_the_ios_sample(exported, tmp_path):
    needed("swift")
    package = SWIFT_PACKAGE
    if sys.platform == "linux":
        package = package.replace("// CRYPTO", '.target(name: "CryptoKit"),')
        package = package.replace("CORE_NEEDS", ', dependencies: ["CryptoKit"]')
        (tmp_path / "Sources" / "CryptoKit").mkdir(parents=True)
        (tmp_path / "Sources" / "CryptoKit" / "SHA256.swift").write_text(CRYPTO_KIT)
    (tmp_path / "Package.swift").write_text(package.replace("CORE_NEEDS", ""))
    ios = EXAMPLES / "ios"
    shutil.copytree(ios / "Sources", tmp_path / "Sources", dirs_exist_ok=True)
    shutil.copytree(ios / "Tests", tmp_path / "Tests")
    (tmp_path / "Sources" / "Bridge").mkdir()
    shutil.copy(BRIDGE / "main.swift", tmp_path / "Sources" / "Bridge")
    shutil.copytree(exported, tmp_path / "Model")
    output = run("swift", "test", "--package-path", tmp_path)
    number = occurrences("func test", ios / "Tests")
    assert f"Executed {number} tests, with 0 failures" in output
    (program,) = (tmp_path / ".build").glob("*/debug/Bridge")
    assert_translates_as_python_does(exported, tmp_path, program)
