import XCTest

@testable import TranslatorCore

final class ExportedFilesTests: XCTestCase {
    /// The error message for an exported directory in which one file is changed.
    private func refusal(_ name: String, _ change: @escaping (Data) throws -> Data) -> String {
        do {
            let files = try ExportedFiles {
                $0 == name ? try change(content($0)) : try content($0)
            }
            _ = try files.tokenizer()
            _ = try files.model()
        } catch {
            XCTAssert(error is ExportedFileError)
            return error.localizedDescription
        }
        XCTFail("\(name) was accepted")
        return ""
    }

    private func changed(_ from: String, _ to: String) -> (Data) -> Data {
        { Data(String(decoding: $0, as: UTF8.self).replacingOccurrences(of: from, with: to).utf8) }
    }

    func testAMissingFileIsNamed() {
        for name in ["translator.tflite", "tokenizer.json", "manifest.json"] {
            let message = refusal(name) { _ in throw CocoaError(.fileReadNoSuchFile) }
            XCTAssert(message.contains("Received: \(name)"), message)
        }
    }

    func testAChangedFileIsNamed() {
        for name in ["translator.tflite", "tokenizer.json"] {
            let message = refusal(name) { $0.dropLast() }
            XCTAssert(message.contains(name) && message.contains("damaged"), message)
        }
    }

    func testAnotherOrNewerFormatIsRefused() {
        let name = "manifest.json"
        let newer = refusal(name, changed("\"format_version\": 1", "\"format_version\": 2"))
        XCTAssert(newer.contains("version 1 at most"), newer)
        let other = refusal(name, changed("keras-bahdanau-litert", "other"))
        XCTAssert(other.contains("format other"), other)
        let half = refusal(name) { $0.prefix($0.count / 2) }
        XCTAssert(half.contains(name), half)
        let incomplete = refusal(name, changed("\"max_length\"", "\"other\""))
        XCTAssert(incomplete.contains("max_length"), incomplete)
    }

    func testTheBoundIsThatOfTheGoldenLines() throws {
        let manifest = try ExportedFiles(directory: exported).manifest
        let golden: [GoldenLine] = try lines("golden.jsonl")
        for line in golden {
            XCTAssertEqual(manifest.bound(sourceLength: line.source_ids.count), line.max_length)
        }
    }
}
