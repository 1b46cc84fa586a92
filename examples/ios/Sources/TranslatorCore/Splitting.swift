private let sentenceEnds: Set<Unicode.Scalar> = [".", "!", "?", "\u{2026}"]

/// Sentence ends that no space follows.
private let wideSentenceEnds: Set<Unicode.Scalar> = ["\u{3002}", "\u{FF01}", "\u{FF1F}"]

/// Splits a text at sentence ends, else at spaces, else within words.
///
/// - Parameter measure: returns the length of a text in the unit of `limit`.
public func splitAtSentences(
    _ text: String, limit: Int, measure: (String) -> Int
) -> [String] {
    var parts: [String] = []
    for sentence in sentences(Array(text.unicodeScalars)) {
        let fits = measure(string(sentence)) <= limit
        for unit in fits ? [sentence] : sentence.split(whereSeparator: isSpace) {
            let joined = (parts.last.map { $0 + " " } ?? "") + string(unit)
            if !parts.isEmpty, measure(joined) <= limit {
                parts[parts.count - 1] = joined
            } else {
                parts += halves(unit, limit, measure)
            }
        }
    }
    return parts
}

/// White space by Python's `str.isspace`; Swift's definition differs a little.
func isSpace(_ character: Unicode.Scalar) -> Bool {
    switch character.value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
        0x205F, 0x3000:
        return true
    default:
        return false
    }
}

private func sentences(_ text: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
    let end = (text.lastIndex { !isSpace($0) } ?? -1) + 1
    var start = text.firstIndex { !isSpace($0) } ?? end
    var sentences: [ArraySlice<Unicode.Scalar>] = []
    var position = start + 1
    while position <= end {
        let before = text[position - 1]
        if wideSentenceEnds.contains(before) {
            sentences.append(text[start..<position])
            start = position
        } else if sentenceEnds.contains(before), position < end, isSpace(text[position]) {
            sentences.append(text[start..<position])
            while isSpace(text[position]) { position += 1 }
            start = position
        }
        position += 1
    }
    if start < end { sentences.append(text[start..<end]) }
    return sentences
}

private func halves(
    _ word: ArraySlice<Unicode.Scalar>, _ limit: Int, _ measure: (String) -> Int
) -> [String] {
    if word.count < 2 || measure(string(word)) <= limit { return [string(word)] }
    let middle = word.startIndex + word.count / 2
    return halves(word[..<middle], limit, measure) + halves(word[middle...], limit, measure)
}
