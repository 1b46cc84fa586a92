import XCTest

@testable import TranslatorCore

/// `Translator` with a fake interpreter that returns the golden lines.
final class TranslatorTests: XCTestCase {
    private var manifest: Manifest!
    private var tokenizer: Tokenizer!
    private var golden: [GoldenLine] = []

    override func setUpWithError() throws {
        let files = try ExportedFiles(directory: exported)
        manifest = files.manifest
        tokenizer = try files.tokenizer()
        golden = try lines("golden.jsonl")
    }

    private func translator(_ line: GoldenLine) -> Translator {
        Translator(
            manifest: manifest,
            tokenizer: tokenizer,
            signatures: KnownAnswers(manifest: manifest, line: line)
        )
    }

    func testTheGoldenLinesComeOut() throws {
        for line in golden {
            let translator = translator(line)
            XCTAssertEqual(translator.sourceIds(line.text), line.source_ids)
            let pieces = line.source_ids.dropLast().map { scalars(tokenizer.piece($0)) }
            XCTAssertEqual(pieces, line.pieces.map(scalars))
            for beam in [false, true] {
                let expected = line.answer(beam: beam)
                let found = try translator.search(line.source_ids, beam: beam)
                XCTAssertEqual(found.tokenIds, expected.token_ids)
                let translation = try translator.translate(line.text, beam: beam)
                XCTAssertEqual(scalars(translation), scalars(expected.translation))
            }
        }
    }

    func testAStreamEndsWithTheGreedyTranslation() throws {
        for line in golden {
            var steps: [Step] = []
            try translator(line).stream(line.text) { steps.append($0); return true }
            XCTAssertEqual(steps.count, line.greedy.token_ids.count)
            XCTAssertEqual(scalars(steps[steps.count - 1].text), scalars(line.greedy.translation))
            for (before, after) in zip(steps, steps.dropFirst()) {
                XCTAssert(scalars(after.text).starts(with: scalars(before.text)))
            }
            let pieces = tokenizer.pieces(line.text)
            let spelled = pieces.map { tokenizer.spelled($0) }.joined()
            for (time, step) in steps.enumerated() {
                let joined = step.source.map(\.text).joined(separator: " ")
                XCTAssertEqual(scalars(" " + joined).suffix(4), scalars(" " + spelled).suffix(4))
                // The fake attention weight of each piece is the step's number.
                let sum = step.source.map(\.attention).reduce(0, +)
                XCTAssertEqual(sum, Float((time + 1) * pieces.count), accuracy: 1e-3)
            }
        }
    }

    func testAStreamThatIsNotWantedEnds() throws {
        var steps = 0
        try translator(golden[0]).stream(golden[0].text) { _ in
            steps += 1
            return steps < 2
        }
        XCTAssertEqual(steps, 2)
    }

    func testPartsOfALongTextAreTranslatedOneAfterTheOther() throws {
        let line = try XCTUnwrap(golden.max { $0.source_ids.count < $1.source_ids.count })
        let text = [line.text, line.text, line.text].joined(separator: "\n")
        let translator = translator(line)
        guard translator.parts(text) == [line.text, line.text, line.text] else {
            throw XCTSkip("Two of the longest golden text fit the model.")
        }
        let expected = [String](repeating: line.greedy.translation, count: 3).joined(separator: " ")
        XCTAssertEqual(try translator.translate(text, beam: false), expected)
        var streamed = ""
        try translator.stream(text) { streamed = $0.text; return true }
        XCTAssertEqual(streamed, expected)
    }

    func testABlankTextHasABlankTranslation() throws {
        for text in ["", "  \n", "\u{3000}"] {
            XCTAssertEqual(try translator(golden[0]).translate(text), "")
        }
    }

    func testTooManyIdsAreRefused() {
        let ids = [Int](repeating: 5, count: manifest.maxLength + 1)
        XCTAssertThrowsError(try translator(golden[0]).search(ids, beam: false))
    }
}

/// Fake interpreter: checks its inputs and returns the outputs of the golden lines.
private final class KnownAnswers: Signatures {
    private let manifest: Manifest
    private let line: GoldenLine
    private var time = 0

    init(manifest: Manifest, line: GoldenLine) {
        self.manifest = manifest
        self.line = line
    }

    func run(
        _ name: String, inputs: [String: Values], outputs: [String: Manifest.Tensor]
    ) throws -> [String: Values] {
        XCTAssertEqual(Set(outputs.keys), Set(manifest.outputs(of: name).keys))
        XCTAssertEqual(inputs["source_length"]?.integers, [Int32(line.source_ids.count)])
        switch name {
        case "encode":
            checkSource(inputs)
            time = 0
            return filled(outputs)
        case "decode_step":
            return decodeStep(inputs, outputs)
        default:
            checkSource(inputs)
            XCTAssertEqual(inputs["max_length"]?.integers, [Int32(line.max_length)])
            let ids = line.answer(beam: name == "translate_beam").token_ids
            let padding = [Int32](repeating: 7, count: outputs["token_ids"]!.size - ids.count)
            return [
                "token_ids": .integers(ids.map(Int32.init) + padding),
                "length": .integers([Int32(ids.count)]),
            ]
        }
    }

    private func checkSource(_ inputs: [String: Values]) {
        let count = manifest.maxLength - line.source_ids.count
        let padding = [Int](repeating: manifest.specialIds.pad_id, count: count)
        XCTAssertEqual(inputs["source_ids"]?.integers.map(Int.init), line.source_ids + padding)
    }

    private func decodeStep(
        _ inputs: [String: Values], _ outputs: [String: Manifest.Tensor]
    ) -> [String: Values] {
        let greedy = line.greedy.token_ids
        let before = time == 0 ? manifest.specialIds.start_id : greedy[time - 1]
        XCTAssertEqual(inputs["token_id"]?.integers, [Int32(before)])
        for (name, values) in inputs {
            // Memory is that of `encode`, states are those of the previous step.
            let expected = ["memory", "keys"].contains(name) ? 0 : Float(time)
            if case .floats(let numbers) = values { XCTAssertEqual(numbers.last, expected, name) }
        }
        time += 1
        var answer = filled(outputs)
        var logits = [Float](repeating: -1, count: outputs["logits"]!.size)
        for id in manifest.specialIds.suppressed { logits[id] = 9 }
        logits[greedy[time - 1]] = 1
        answer["logits"] = .floats(logits)
        return answer
    }

    private func filled(_ outputs: [String: Manifest.Tensor]) -> [String: Values] {
        outputs.mapValues { .floats([Float](repeating: Float(time), count: $0.size)) }
    }
}
