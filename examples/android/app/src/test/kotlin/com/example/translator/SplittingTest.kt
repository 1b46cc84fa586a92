package com.example.translator

import org.junit.Assert.assertEquals
import org.junit.Test

class SplittingTest {
    private val words = { part: String -> part.split(' ').size }
    private val characters = { part: String -> part.length }

    @Test
    fun `long texts are cut at sentence ends`() {
        val text = "One two. Three four five! Six? Seven eight nine ten eleven"
        assertEquals(
            listOf("One two. Three four five!", "Six?", "Seven eight nine ten eleven"),
            splitAtSentences(text, words, 5),
        )
    }

    @Test
    fun `a long sentence is cut at spaces and a long word in halves`() {
        assertEquals(
            listOf("a bb", "ccc", "dddd", "dddd"),
            splitAtSentences("a bb ccc dddddddd", characters, 4),
        )
    }

    @Test
    fun `wide sentence ends need no space`() {
        assertEquals(
            listOf("\u4E00\u3002", "\u4E8C\uFF01", "\u4E09"),
            splitAtSentences("\u4E00\u3002\u4E8C\uFF01\u4E09", characters, 2),
        )
    }

    @Test
    fun `no character is cut in half`() {
        val face = "\uD83D\uDE00"
        assertEquals(listOf(face, face, face), splitAtSentences(face.repeat(3), characters, 1))
    }
}
