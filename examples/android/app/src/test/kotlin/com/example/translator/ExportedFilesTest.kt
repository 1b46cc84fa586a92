package com.example.translator

import java.io.IOException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class ExportedFilesTest {
    /** The error message for an exported directory in which one file is changed. */
    private fun refusal(file: String, change: (ByteArray) -> ByteArray): String {
        val error = assertThrows(ExportedFileException::class.java) {
            val files = ExportedFiles { if (it == file) change(asset(it)) else asset(it) }
            files.tokenizer()
            files.model()
        }
        return error.message!!
    }

    private fun changed(from: String, to: String) = { content: ByteArray ->
        content.decodeToString().replaceFirst(from, to).encodeToByteArray()
    }

    @Test
    fun `a missing file is named`() {
        for (file in listOf("translator.tflite", "tokenizer.json", "manifest.json")) {
            assertTrue(file in refusal(file) { throw IOException("nothing there") })
        }
    }

    @Test
    fun `a changed file is named`() {
        for (file in listOf("translator.tflite", "tokenizer.json")) {
            val message = refusal(file) { content ->
                content.apply { set(size / 2, (get(size / 2) + 1).toByte()) }
            }
            assertTrue(message, file in message && "damaged" in message)
        }
    }

    @Test
    fun `another or newer format is refused`() {
        val newer = changed("\"format_version\": 1", "\"format_version\": 2")
        val version = refusal("manifest.json", newer)
        assertTrue(version, "version 1 at most" in version)
        val format = refusal("manifest.json", changed("keras-bahdanau-litert", "other"))
        assertTrue(format, "format other" in format)
        assertTrue("manifest" in refusal("manifest.json") { it.copyOf(it.size / 2) })
        assertTrue("max_length" in refusal("manifest.json", changed("\"max_length\"", "\"other\"")))
    }

    @Test
    fun `the bound is that of the golden lines`() {
        val manifest = ExportedFiles(::asset).manifest
        for (line in lines("golden.jsonl")) {
            val length = line.getJSONArray("source_ids").length()
            assertEquals(line.getInt("max_length"), manifest.bound(length))
        }
    }
}
