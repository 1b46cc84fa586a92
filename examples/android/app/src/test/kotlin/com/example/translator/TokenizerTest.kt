package com.example.translator

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class TokenizerTest {
    private val tokenizer = ExportedFiles(::asset).tokenizer()

    @Test
    fun `the vectors come out`() {
        val vectors = lines("tokenizer_vectors.jsonl")
        assertTrue(vectors.size > 100)
        for (vector in vectors) {
            val text = vector.getString("text")
            val pieces = tokenizer.pieces(text)
            assertEquals(text, vector.getJSONArray("pieces").strings(), pieces.map { it.text })
            assertEquals(text, vector.getJSONArray("ids").ints(), pieces.map { it.id })
            assertEquals(text, vector.getString("normalized"), tokenizer.normalize(text))
            assertEquals(text, vector.getString("decoded"), tokenizer.decode(pieces.map { it.id }))
        }
    }

    @Test
    fun `lone surrogates are replacement characters and pairs are one character`() {
        assertEquals(tokenizer.pieces("a\uFFFDb\uFFFD"), tokenizer.pieces("a\uD800b\uDFFF"))
        assertEquals(1, tokenizer.pieces("a\uD83D\uDE00").last().text.codePoints().count())
    }

    @Test
    fun `what it cannot follow is refused`() {
        val whole = asset("tokenizer.json").decodeToString()
        for ((from, to) in listOf(
            "\"keras-bahdanau-tokenizer\"" to "\"other\"",
            "\"format_version\": 1" to "\"format_version\": 2",
            "\"unigram\"" to "\"bpe\"",
            "\"byte_fallback\": false" to "\"byte_fallback\": true",
            "\"normal\"" to "\"user_defined\"",
        )) {
            assertTrue(from, from in whole)
            assertThrows(from, ExportedFileException::class.java) {
                Tokenizer.fromJson(whole.replaceFirst(from, to))
            }
        }
        assertThrows(ExportedFileException::class.java) { Tokenizer.fromJson(whole.dropLast(9)) }
    }
}
