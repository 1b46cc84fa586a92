package com.example.translator

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.CharBuffer
import java.nio.charset.CodingErrorAction

/**
 * SentencePiece's normalization, read from its compiled rules, so that no Unicode tables of the
 * device matter.
 *
 * @param charsmap little-endian uint32 size of the trie in bytes, the trie (Darts-clone's double
 *   array of uint32 units), then the replacements in UTF-8, each NUL-terminated. Empty where
 *   there are no rules.
 * @param space what spaces are written as.
 */
class Normalizer(
    charsmap: ByteArray,
    private val addDummyPrefix: Boolean,
    private val removeExtraSpaces: Boolean,
    private val space: Char,
) {
    private val trie: IntArray
    private val replacements: ByteArray

    init {
        if (charsmap.isEmpty()) {
            trie = IntArray(0)
            replacements = ByteArray(0)
        } else {
            val buffer = ByteBuffer.wrap(charsmap).order(ByteOrder.LITTLE_ENDIAN)
            val size = buffer.getInt()
            if (size < 0 || size % 4 != 0 || size > charsmap.size - 4) {
                throw ExportedFileException(
                    "Expected a charsmap with a trie of at most ${charsmap.size - 4} bytes. " +
                        "Received: one of $size bytes"
                )
            }
            trie = IntArray(size / 4) { buffer.getInt() }
            replacements = charsmap.copyOfRange(4 + size, charsmap.size)
        }
    }

    /** The normalized text: rules applied, spaces collapsed and escaped. */
    fun normalize(text: String): String {
        if (text.isEmpty()) return ""
        val bytes = utf8(text)
        val result = StringBuilder()
        var position = 0
        while (position < bytes.size) {
            val (replacement, length) = replacementAt(bytes, position)
            val trims = removeExtraSpaces && (result.isEmpty() || result.endsWith(' '))
            result.append(if (trims) replacement.trimStart(' ') else replacement)
            position += length
        }
        val normalized = (if (addDummyPrefix) " " else "") + result
        val marked = normalized.replace(' ', space)
        return if (removeExtraSpaces) marked.trimEnd(space) else marked
    }

    /** Longest matching rule, else the character itself: replacement, number of bytes. */
    private fun replacementAt(bytes: ByteArray, start: Int): Pair<String, Int> {
        var length = 0
        var value = 0
        var unit = if (trie.isEmpty()) 0 else trie[0]
        var node = if (trie.isEmpty()) trie.size else offset(unit)
        for (position in start until bytes.size) {
            val byte = bytes[position].toInt() and 0xFF
            node = node xor byte
            if (node >= trie.size) break
            unit = trie[node]
            // A unit's label; the sign bit is set where the unit is a value and no label.
            if (unit and (Int.MIN_VALUE or 0xFF) != byte) break
            node = node xor offset(unit)
            if (unit ushr 8 and 1 == 1) {
                length = position + 1 - start
                value = trie[node] and Int.MAX_VALUE
            }
        }
        if (length == 0) {
            val size = characterSize(bytes[start])
            return String(bytes, start, size, Charsets.UTF_8) to size
        }
        var end = value
        while (replacements[end].toInt() != 0) end++
        return String(replacements, value, end - value, Charsets.UTF_8) to length
    }

    /** Offset of a unit's children. */
    private fun offset(unit: Int) = (unit ushr 10) shl ((unit and (1 shl 9)) ushr 6)

    private fun characterSize(first: Byte): Int {
        val byte = first.toInt() and 0xFF
        return if (byte < 0x80) 1 else if (byte < 0xE0) 2 else if (byte < 0xF0) 3 else 4
    }

    /** Valid UTF-8: half of a surrogate pair, which has none, becomes U+FFFD. */
    private fun utf8(text: String): ByteArray {
        val encoder = Charsets.UTF_8.newEncoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .replaceWith("\uFFFD".toByteArray())
        val buffer = encoder.encode(CharBuffer.wrap(text))
        return ByteArray(buffer.remaining()).also { buffer.get(it) }
    }
}
