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
    fun theGoldenLinesComeOut() {
        val different = mutableListOf<String>()
        for (line in lines) {
            val text = line.getString("text")
            val sourceIds = line.getJSONArray("source_ids").ints()
            assertEquals(sourceIds, translator.sourceIds(text))
            for ((name, beam) in listOf("greedy" to false, "beam" to true)) {
                val expected = line.getJSONObject(name)
                val found = translator.search(sourceIds, beam).tokenIds
                if (found == expected.getJSONArray("token_ids").ints()) {
                    val translation = translator.translate(text, beam)
                    assertEquals(expected.getString("translation"), translation)
                } else {
                    different += text
                }
            }
        }
        // int8 rounding depends on release and processor, and can flip near ties.
        val allowed = if (isInt8) 2 * lines.size / 10 else 0
        assertTrue("${different.size} searches differ: $different", different.size <= allowed)
    }

    @Test
    fun streamsEndWithTheGreedyTranslations() {
        for (line in lines) {
            val text = line.getString("text")
            var streamed = ""
            translator.stream(text) { streamed = it.text; true }
            assertEquals(translator.translate(text, beam = false), streamed)
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
        private var isInt8 = false

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
            val manifest = JSONObject(asset("manifest.json").decodeToString())
            isInt8 = manifest.getString("quantization") == "int8"
            lines = asset("golden.jsonl").decodeToString().split('\n')
                .filter { it.isNotEmpty() }.map { JSONObject(it) }
        }

        @AfterClass
        @JvmStatic
        fun close() = signatures.close()
    }
}
