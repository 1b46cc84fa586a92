package com.example.translator

import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import org.json.JSONArray
import org.json.JSONObject
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.Test
import org.junit.runner.RunWith

/** The golden lines, with LiteRT on a device or an emulator. */
@RunWith(AndroidJUnit4::class)
class GoldenTest {
    @Test
    fun searchesFindTheGoldenIds() {
        for (line in lines) {
            val sourceIds = line.getJSONArray("source_ids").ints()
            assertEquals(sourceIds, translator.sourceIds(line.getString("text")))
            for ((name, beam) in listOf("greedy" to false, "beam" to true)) {
                val expected = line.getJSONObject(name).getJSONArray("token_ids").ints()
                val found = translator.search(sourceIds, beam).tokenIds
                assertEquals(line.getString("text"), expected, found)
            }
        }
    }

    @Test
    fun translationsAreTheGoldenTexts() {
        for (line in lines) {
            val text = line.getString("text")
            for ((name, beam) in listOf("greedy" to false, "beam" to true)) {
                val expected = line.getJSONObject(name).getString("translation")
                assertEquals(text, expected, translator.translate(text, beam))
            }
        }
    }

    @Test
    fun streamsEndWithTheGoldenTexts() {
        for (line in lines) {
            var streamed = ""
            translator.stream(line.getString("text")) { streamed = it.text; true }
            assertEquals(line.getJSONObject("greedy").getString("translation"), streamed)
        }
    }

    @Test
    fun attentionIsAtMostOne() {
        for (line in lines) {
            translator.stream(line.getString("text")) { step ->
                assertTrue(step.source.sumOf { it.attention.toDouble() } < 1.0001)
                true
            }
        }
    }

    companion object {
        private lateinit var signatures: LiteRtSignatures
        private lateinit var translator: Translator
        private lateinit var lines: List<JSONObject>

        private fun asset(name: String) =
            InstrumentationRegistry.getInstrumentation().targetContext.assets.open(name).use {
                it.readBytes()
            }

        private fun JSONArray.ints() = List(length()) { getInt(it) }

        @BeforeClass
        @JvmStatic
        fun load() {
            val files = ExportedFiles(::asset)
            signatures = LiteRtSignatures(files.model())
            translator = Translator(files.manifest, files.tokenizer(), signatures)
            lines = asset("golden.jsonl").decodeToString().split('\n')
                .filter { it.isNotEmpty() }.map { JSONObject(it) }
        }

        @AfterClass
        @JvmStatic
        fun close() = signatures.close()
    }
}
