import Foundation

/// SentencePiece's normalization, read from its compiled rules, so that no Unicode tables of the
/// device matter.
struct Normalizer {
    private let trie: [UInt32]
    private let replacements: [UInt8]
    private let addDummyPrefix: Bool
    private let removeExtraSpaces: Bool
    private let space: Unicode.Scalar

    /// - Parameters:
    ///   - charsmap: little-endian uint32 size of the trie in bytes, the trie (Darts-clone's double
    ///     array of uint32 units), then the replacements in UTF-8, each NUL-terminated. Empty
    ///     where there are no rules.
    ///   - space: what spaces are written as.
    init(
        charsmap: [UInt8], addDummyPrefix: Bool, removeExtraSpaces: Bool, space: Unicode.Scalar
    ) throws {
        func word(at index: Int) -> UInt32 {
            charsmap[index..<index + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }

        let size = charsmap.count < 4 ? 0 : Int(word(at: 0))
        guard charsmap.isEmpty || (size > 0 && size % 4 == 0 && size <= charsmap.count - 4) else {
            throw ExportedFileError(
                "Expected a whole charsmap. Received: \(charsmap.count) bytes, a trie of \(size)"
            )
        }
        trie = stride(from: 4, to: 4 + size, by: 4).map(word)
        replacements = Array(charsmap.dropFirst(4 + size))
        self.addDummyPrefix = addDummyPrefix
        self.removeExtraSpaces = removeExtraSpaces
        self.space = space
    }

    /// The normalized text: rules applied, spaces collapsed and escaped.
    ///
    /// Code points, because Swift compares strings by canonical equivalence.
    func normalize(_ text: String) -> [Unicode.Scalar] {
        if text.isEmpty { return [] }
        let bytes = Array(text.utf8)
        var result: [Unicode.Scalar] = []
        var position = 0
        while position < bytes.count {
            let (replacement, length) = replacement(of: bytes, at: position)
            let trims = removeExtraSpaces && (result.last ?? " ") == " "
            result += trims ? replacement.drop { $0 == " " } : replacement[...]
            position += length
        }
        if addDummyPrefix { result.insert(" ", at: 0) }
        result = result.map { $0 == " " ? space : $0 }
        while removeExtraSpaces, result.last == space { result.removeLast() }
        return result
    }

    /// Longest matching rule, else the character itself: replacement, number of bytes.
    private func replacement(of bytes: [UInt8], at start: Int) -> ([Unicode.Scalar], Int) {
        var length = 0
        var value = 0
        var node = trie.isEmpty ? 0 : offset(trie[0])
        for position in start..<bytes.count {
            node ^= Int(bytes[position])
            // A unit's label; the highest bit is set where the unit is a value and no label.
            guard node < trie.count, trie[node] & 0x8000_00FF == UInt32(bytes[position]) else {
                break
            }
            let unit = trie[node]
            node ^= offset(unit)
            if unit >> 8 & 1 == 1 {
                length = position + 1 - start
                value = Int(trie[node] & 0x7FFF_FFFF)
            }
        }
        if length > 0 { return (scalars(replacements[value...].prefix { $0 != 0 }), length) }
        length = characterSize(bytes[start])
        return (scalars(bytes[start..<start + length]), length)
    }

    /// Offset of a unit's children.
    private func offset(_ unit: UInt32) -> Int {
        Int((unit >> 10) << ((unit & 1 << 9) >> 6))
    }

    private func characterSize(_ first: UInt8) -> Int {
        first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    }

    private func scalars(_ bytes: ArraySlice<UInt8>) -> [Unicode.Scalar] {
        Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    }
}
