import Foundation

/// `[piece, score, type]` of `tokenizer.json`.
struct VocabularyPiece: Decodable {
    let text: [Unicode.Scalar]
    let score: Float
    let type: String

    init(from decoder: Decoder) throws {
        var row = try decoder.unkeyedContainer()
        text = try Array(row.decode(String.self).unicodeScalars)
        score = try Float(row.decode(Double.self))
        type = try row.decode(String.self)
    }
}

/// Content of `tokenizer.json`.
struct TokenizerFile: Decodable {
    private static let types: Set<String> = ["normal", "unknown", "control", "unused"]

    let model_type: String
    let byte_fallback: Bool
    let add_dummy_prefix: Bool
    let remove_extra_whitespaces: Bool
    let escape_whitespaces: Bool
    let space_symbol: String
    let charsmap: String
    let pieces: [VocabularyPiece]

    init(json: Data) throws {
        self = try TranslatorCore.decode(
            Self.self, from: json, format: "keras-bahdanau-tokenizer", version: 1,
            file: "tokenizer.json"
        )
        let unsupported = Set(pieces.map(\.type)).subtracting(Self.types)
        guard model_type == "unigram", !byte_fallback, unsupported.isEmpty else {
            throw ExportedFileError(
                "Expected a unigram tokenizer without byte_fallback, its pieces of \(Self.types). "
                    + "Received: a \(model_type) tokenizer, byte_fallback \(byte_fallback), "
                    + "pieces of \(unsupported)"
            )
        }
        guard Data(base64Encoded: charsmap) != nil, !space_symbol.isEmpty,
            pieces.contains(where: { $0.type == "unknown" })
        else {
            throw ExportedFileError(
                "Expected a charsmap in Base64, a space symbol and an unknown piece. "
                    + "Received: tokenizer.json, which lacks one of them"
            )
        }
    }

    var charsmapBytes: [UInt8] { Data(base64Encoded: charsmap).map(Array.init) ?? [] }
    var spaceSymbol: Unicode.Scalar { space_symbol.unicodeScalars.first ?? " " }
    var unknownId: Int { pieces.firstIndex { $0.type == "unknown" } ?? 0 }
}
