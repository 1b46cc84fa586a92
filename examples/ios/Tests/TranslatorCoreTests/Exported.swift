import Foundation
import XCTest

@testable import TranslatorCore

/// The exported directory that the tests read: `Model` beside `Package.swift`.
let exported = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Model")

func content(_ name: String) throws -> Data {
    try Data(contentsOf: exported.appendingPathComponent(name))
}

/// The JSON values of a file that has one on each line.
func lines<Line: Decodable>(_ name: String) throws -> [Line] {
    try content(name).split(separator: UInt8(ascii: "\n"))
        .map { try JSONDecoder().decode(Line.self, from: Data($0)) }
}

/// Code points, because Swift compares strings by canonical equivalence.
func scalars(_ text: String) -> [Unicode.Scalar] {
    Array(text.unicodeScalars)
}

struct Vector: Decodable {
    let text: String
    let normalized: String
    let pieces: [String]
    let ids: [Int]
    let decoded: String
}

struct GoldenLine: Decodable {
    struct Answer: Decodable {
        let token_ids: [Int]
        let translation: String
    }

    let text: String
    let pieces: [String]
    let source_ids: [Int]
    let max_length: Int
    let greedy: Answer
    let beam: Answer

    func answer(beam: Bool) -> Answer {
        beam ? self.beam : greedy
    }
}
