package com.example.translator

private const val SENTENCE_ENDS = ".!?\u2026"

/** Sentence ends that no space follows. */
private const val WIDE_SENTENCE_ENDS = "\u3002\uFF01\uFF1F"

/**
 * Splits a text at sentence ends, else at spaces, else within words.
 *
 * @param measure returns the length of a text in the unit of `limit`.
 */
fun splitAtSentences(text: String, measure: (String) -> Int, limit: Int): List<String> {
    val parts = mutableListOf<String>()
    for (sentence in sentences(text.trim(::isSpace))) {
        for (unit in if (measure(sentence) <= limit) listOf(sentence) else words(sentence)) {
            val joined = if (parts.isEmpty()) unit else "${parts.last()} $unit"
            if (parts.isNotEmpty() && measure(joined) <= limit) {
                parts[parts.lastIndex] = joined
            } else {
                parts += halves(unit, measure, limit)
            }
        }
    }
    return parts
}

/** White space by Python's `str.isspace`; the definitions of Kotlin and ICU differ a little. */
fun isSpace(character: Char) =
    character in '\t'..'\r' || character in '\u001C'..' ' || character in '\u2000'..'\u200A' ||
        character in "\u0085\u00A0\u1680\u2028\u2029\u202F\u205F\u3000"

private fun sentences(text: String): List<String> {
    val sentences = mutableListOf<String>()
    var start = 0
    var position = 1
    while (position <= text.length) {
        val before = text[position - 1]
        if (before in WIDE_SENTENCE_ENDS) {
            sentences += text.substring(start, position)
            start = position
        } else if (before in SENTENCE_ENDS && position < text.length && isSpace(text[position])) {
            sentences += text.substring(start, position)
            while (position < text.length && isSpace(text[position])) position++
            start = position
        }
        position++
    }
    sentences += text.substring(start)
    return sentences.filter { it.isNotEmpty() }
}

private fun words(text: String): List<String> {
    val words = mutableListOf<String>()
    var start = 0
    for (position in 0..text.length) {
        if (position == text.length || isSpace(text[position])) {
            if (position > start) words += text.substring(start, position)
            start = position + 1
        }
    }
    return words
}

private fun halves(word: String, measure: (String) -> Int, limit: Int): List<String> {
    val length = word.codePointCount(0, word.length)
    if (length < 2 || measure(word) <= limit) return if (word.isEmpty()) listOf() else listOf(word)
    val middle = word.offsetByCodePoints(0, length / 2)
    return halves(word.substring(0, middle), measure, limit) +
        halves(word.substring(middle), measure, limit)
}
