import Foundation

/// One piece of a text: its id and its characters (those of the text for an unknown piece).
public struct Piece {
    public let id: Int
    public let text: String
}

/// SentencePiece's unigram model: text to pieces and back.
public struct Tokenizer {
    private static let unknownPenalty: Float = 10
    private static let unknownText = " \u{2047} "

    private let vocabulary: [VocabularyPiece]
    private let normalizer: Normalizer
    private let spaceSymbol: Unicode.Scalar
    private let addDummyPrefix: Bool
    private let removeExtraSpaces: Bool
    private let unknownId: Int
    private let unknownScore: Float
    private let longest: Int
    private var ids: [[Unicode.Scalar]: Int] = [:]

    /// - Parameter json: content of `tokenizer.json`.
    public init(json: Data) throws {
        let file = try TokenizerFile(json: json)
        vocabulary = file.pieces
        spaceSymbol = file.spaceSymbol
        addDummyPrefix = file.add_dummy_prefix
        removeExtraSpaces = file.remove_extra_whitespaces
        normalizer = try Normalizer(
            charsmap: file.charsmapBytes,
            addDummyPrefix: addDummyPrefix,
            removeExtraSpaces: removeExtraSpaces,
            space: file.escape_whitespaces ? spaceSymbol : " "
        )
        unknownId = file.unknownId
        var least = Float.infinity
        for (id, piece) in vocabulary.enumerated() where piece.type == "normal" {
            ids[piece.text] = id
            least = min(least, piece.score)
        }
        unknownScore = least - Self.unknownPenalty
        longest = ids.keys.map(\.count).max() ?? 0
    }

    /// Piece of an id in the vocabulary.
    public func piece(_ id: Int) -> String {
        string(vocabulary[id].text)
    }

    /// Surface form of a piece.
    public func spelled(_ piece: Piece) -> String {
        string(spelled(Array(piece.text.unicodeScalars)))
    }

    public func normalize(_ text: String) -> String {
        string(normalizer.normalize(text))
    }

    /// Ids of a text's pieces, without an end token.
    public func encode(_ text: String) -> [Int] {
        pieces(text).map(\.id)
    }

    /// The pieces of a text. Consecutive unknown characters are merged to one.
    public func pieces(_ text: String) -> [Piece] {
        var pieces: [Piece] = []
        for piece in segment(normalizer.normalize(text)) {
            if piece.id == unknownId, let last = pieces.last, last.id == unknownId {
                pieces[pieces.count - 1] = Piece(id: unknownId, text: last.text + piece.text)
            } else {
                pieces.append(piece)
            }
        }
        return pieces
    }

    /// Ids to text. Control pieces are left out.
    public func decode(_ ids: [Int]) -> String {
        var text = ""
        var strips = addDummyPrefix || removeExtraSpaces
        for id in ids {
            var piece = vocabulary[id].text[...]
            switch vocabulary[id].type {
            case "control":
                continue
            case "unknown":
                text += Self.unknownText
            default:
                if strips, text.isEmpty, piece.first == spaceSymbol {
                    piece = piece.dropFirst()
                    strips = removeExtraSpaces
                }
                text += string(spelled(piece))
            }
        }
        return text
    }

    /// Viterbi: the segmentation of a normalized text with the highest sum of scores.
    private func segment(_ text: [Unicode.Scalar]) -> [Piece] {
        var best = [Float](repeating: 0, count: text.count + 1)
        var path = [(start: Int, id: Int)?](repeating: nil, count: text.count + 1)
        for start in text.indices {
            func consider(_ end: Int, _ id: Int, _ score: Float) {
                let total = best[start] + score
                if path[end] == nil || total > best[end] {
                    best[end] = total
                    path[end] = (start, id)
                }
            }

            var isKnown = false
            for end in start + 1...min(start + max(longest, 1), text.count) {
                guard let id = ids[Array(text[start..<end])] else { continue }
                consider(end, id, vocabulary[id].score)
                isKnown = isKnown || end == start + 1
            }
            if !isKnown { consider(start + 1, unknownId, unknownScore) }
        }
        var pieces: [Piece] = []
        var end = text.count
        while let (start, id) = path[end] {
            pieces.append(Piece(id: id, text: string(text[start..<end])))
            end = start
        }
        return pieces.reversed()
    }

    private func spelled(_ scalars: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        scalars.map { $0 == spaceSymbol ? " " : $0 }
    }
}

func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var string = ""
    string.unicodeScalars.append(contentsOf: scalars)
    return string
}
