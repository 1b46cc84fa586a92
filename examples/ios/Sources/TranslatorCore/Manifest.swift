import Foundation

/// The fields of `manifest.json` that this program reads.
public struct Manifest {
    static let fileName = "manifest.json"

    public struct Tensor: Decodable {
        public let shape: [Int]
        public let dtype: String

        public var size: Int { shape.reduce(1, *) }
    }

    struct File: Decodable {
        let bytes: Int
        let sha256: String
    }

    struct SpecialIds: Decodable {
        let pad_id: Int
        let unknown_id: Int
        let start_id: Int
        let end_id: Int

        /// Ids of tokens that are never generated.
        var suppressed: [Int] { [pad_id, unknown_id, start_id] }
        /// Ids of tokens without text.
        var all: Set<Int> { [pad_id, unknown_id, start_id, end_id] }
    }

    private struct Content: Decodable {
        struct Bound: Decodable {
            let factor: Int
            let offset: Int
        }

        struct Signature: Decodable {
            let outputs: [String: Tensor]
        }

        let max_length: Int
        let max_target_length: Int
        let beam_width: Int
        let special_ids: SpecialIds
        let length_bound: Bound
        let signatures: [String: Signature]
        let files: [String: File]
    }

    private let content: Content

    init(json: Data) throws {
        content = try decode(
            Content.self, from: json, format: "keras-bahdanau-litert", version: 1,
            file: Self.fileName
        )
    }

    /// Longest source in pieces, the end token included.
    public var maxLength: Int { content.max_length }
    public var beamWidth: Int { content.beam_width }
    var specialIds: SpecialIds { content.special_ids }
    var files: [String: File] { content.files }

    /// The tensors that a signature returns, by name.
    public func outputs(of signature: String) -> [String: Tensor] {
        content.signatures[signature]?.outputs ?? [:]
    }

    /// Maximum length of the translation of a source, in tokens.
    public func bound(sourceLength: Int) -> Int {
        let bound = content.length_bound
        return min(bound.factor * sourceLength + bound.offset, content.max_target_length)
    }
}
