import XCTest

@testable import TranslatorCore

final class TokenizerTests: XCTestCase {
    func testTheVectorsComeOut() throws {
        let tokenizer = try ExportedFiles(directory: exported).tokenizer()
        let vectors: [Vector] = try lines("tokenizer_vectors.jsonl")
        XCTAssertGreaterThan(vectors.count, 100)
        for vector in vectors {
            let pieces = tokenizer.pieces(vector.text)
            XCTAssertEqual(pieces.map(\.id), vector.ids, vector.text)
            XCTAssertEqual(
                pieces.map { scalars($0.text) }, vector.pieces.map(scalars), vector.text)
            XCTAssertEqual(
                scalars(tokenizer.normalize(vector.text)), scalars(vector.normalized), vector.text)
            XCTAssertEqual(
                scalars(tokenizer.decode(vector.ids)), scalars(vector.decoded), vector.text)
        }
    }

    func testWhatItCannotFollowIsRefused() throws {
        let whole = try String(decoding: content("tokenizer.json"), as: UTF8.self)
        for (from, to) in [
            ("\"keras-bahdanau-tokenizer\"", "\"other\""),
            ("\"format_version\": 1", "\"format_version\": 2"),
            ("\"unigram\"", "\"bpe\""),
            ("\"byte_fallback\": false", "\"byte_fallback\": true"),
            ("\"normal\"", "\"user_defined\""),
            ("]", ""),
        ] {
            let changed = whole.replacingOccurrences(of: from, with: to)
            XCTAssertNotEqual(changed, whole)
            XCTAssertThrowsError(try Tokenizer(json: Data(changed.utf8)), from) {
                XCTAssert($0 is ExportedFileError)
            }
        }
    }
}
