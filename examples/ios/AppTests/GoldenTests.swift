import TranslatorCore
import XCTest

@testable import Translator

/// The golden lines, with LiteRT on a device or in a simulator.
final class GoldenTests: XCTestCase {
    private struct Line: Decodable {
        struct Answer: Decodable {
            let token_ids: [Int]
            let translation: String
        }

        let text: String
        let source_ids: [Int]
        let greedy: Answer
        let beam: Answer
    }

    private var translator: TranslatorCore.Translator!
    private var lines: [Line] = []

    override func setUpWithError() throws {
        translator = try LiteRtSignatures.bundledTranslator()
        let url = Bundle.main.bundleURL.appendingPathComponent("Model/golden.jsonl")
        lines = try Data(contentsOf: url).split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(Line.self, from: Data($0)) }
    }

    func testSearchesFindTheGoldenIdsAndTexts() throws {
        for line in lines {
            XCTAssertEqual(translator.sourceIds(line.text), line.source_ids)
            for (expected, beam) in [(line.greedy, false), (line.beam, true)] {
                let found = try translator.search(line.source_ids, beam: beam)
                XCTAssertEqual(found.tokenIds, expected.token_ids, line.text)
                let translation = try translator.translate(line.text, beam: beam)
                XCTAssertEqual(scalars(translation), scalars(expected.translation), line.text)
            }
        }
    }

    func testStreamsEndWithTheGoldenTexts() throws {
        for line in lines {
            var streamed = ""
            try translator.stream(line.text) { step in
                XCTAssertLessThan(step.source.map(\.attention).reduce(0, +), 1.0001)
                streamed = step.text
                return true
            }
            XCTAssertEqual(scalars(streamed), scalars(line.greedy.translation))
        }
    }

    /// Code points, because Swift takes strings for equal that differ in how accents are written.
    private func scalars(_ text: String) -> [Unicode.Scalar] {
        Array(text.unicodeScalars)
    }
}
