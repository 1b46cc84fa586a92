import TranslatorCore
import XCTest

@testable import Translator

/// The golden lines, with LiteRT on a device or in a simulator.
final class GoldenTests: XCTestCase {
    private struct Kind: Decodable {
        let quantization: String
    }

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
    private var isInt8 = false

    override func setUpWithError() throws {
        translator = try LiteRtSignatures.bundledTranslator()
        let model = Bundle.main.bundleURL.appendingPathComponent("Model")
        let manifest = try Data(contentsOf: model.appendingPathComponent("manifest.json"))
        isInt8 = try JSONDecoder().decode(Kind.self, from: manifest).quantization == "int8"
        lines = try Data(contentsOf: model.appendingPathComponent("golden.jsonl"))
            .split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(Line.self, from: Data($0)) }
    }

    func testTheGoldenLinesComeOut() throws {
        var different: [String] = []
        for line in lines {
            XCTAssertEqual(translator.sourceIds(line.text), line.source_ids)
            for (expected, beam) in [(line.greedy, false), (line.beam, true)] {
                let found = try translator.search(line.source_ids, beam: beam)
                if found.tokenIds == expected.token_ids {
                    let translation = try translator.translate(line.text, beam: beam)
                    XCTAssertEqual(scalars(translation), scalars(expected.translation))
                } else {
                    different.append(line.text)
                }
            }
        }
        // int8 rounding depends on release and processor, and can flip near ties.
        let allowed = isInt8 ? 2 * lines.count / 10 : 0
        XCTAssertLessThanOrEqual(different.count, allowed, "\(different)")
    }

    func testStreamsEndWithTheGreedyTranslations() throws {
        for line in lines {
            var streamed = ""
            try translator.stream(line.text) { step in
                XCTAssertLessThan(step.source.map(\.attention).reduce(0, +), 1.0001)
                streamed = step.text
                return true
            }
            let greedy = try translator.translate(line.text, beam: false)
            XCTAssertEqual(scalars(streamed), scalars(greedy))
        }
    }

    /// Code points, because Swift compares strings by canonical equivalence.
    private func scalars(_ text: String) -> [Unicode.Scalar] {
        Array(text.unicodeScalars)
    }
}
