package com.example.translator

import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Test

/** `Translator` with a fake interpreter that returns the golden lines. */
class TranslatorTest {
    private val files = ExportedFiles(::asset)
    private val tokenizer = files.tokenizer()

    private fun translator(line: JSONObject) =
        Translator(files.manifest, tokenizer, KnownAnswers(files.manifest, line))

    @Test
    fun `the golden lines come out`() {
        for (line in lines("golden.jsonl")) {
            val text = line.getString("text")
            val translator = translator(line)
            val sourceIds = line.getJSONArray("source_ids").ints()
            assertEquals(sourceIds, translator.sourceIds(text))
            assertEquals(
                line.getJSONArray("pieces").strings(),
                sourceIds.dropLast(1).map { tokenizer.piece(it) },
            )
            for ((name, beam) in listOf("greedy" to false, "beam" to true)) {
                val expected = line.getJSONObject(name)
                val found = translator.search(sourceIds, beam)
                assertEquals(expected.getJSONArray("token_ids").ints(), found.tokenIds)
                assertEquals(expected.getString("translation"), translator.translate(text, beam))
            }
        }
    }

    @Test
    fun `a stream ends with the greedy translation`() {
        for (line in lines("golden.jsonl")) {
            val greedy = line.getJSONObject("greedy")
            val steps = mutableListOf<Step>()
            translator(line).stream(line.getString("text")) { steps.add(it) }
            assertEquals(greedy.getJSONArray("token_ids").length(), steps.size)
            assertEquals(greedy.getString("translation"), steps.last().text)
            for ((before, after) in steps.zipWithNext()) {
                assertTrue(after.text.startsWith(before.text))
            }
            val pieces = tokenizer.pieces(line.getString("text"))
            val spelled = pieces.joinToString("") { tokenizer.spelled(it) }
            steps.forEachIndexed { time, step ->
                assertEquals(spelled.trim(), step.source.joinToString(" ") { it.text }.trim())
                // The fake attention weight of each piece is the step's number.
                val sum = step.source.sumOf { it.attention.toDouble() }
                assertEquals((time + 1.0) * pieces.size, sum, 1e-3)
            }
        }
    }

    @Test
    fun `a stream that is not wanted ends`() {
        var steps = 0
        val line = lines("golden.jsonl").first()
        translator(line).stream(line.getString("text")) { ++steps < 2 }
        assertEquals(2, steps)
    }

    @Test
    fun `parts of a long text are translated one after the other`() {
        val line = lines("golden.jsonl").maxBy { it.getJSONArray("source_ids").length() }
        val sentence = line.getString("text")
        val text = List(3) { sentence }.joinToString("\n")
        val translator = translator(line)
        assumeTrue("Two of them fit the model.", translator.parts(text) == List(3) { sentence })
        val once = line.getJSONObject("greedy").getString("translation")
        val expected = List(3) { once }.joinToString(" ")
        assertEquals(expected, translator.translate(text, beam = false))
        var streamed = ""
        translator.stream(text) { streamed = it.text; true }
        assertEquals(expected, streamed)
    }

    @Test
    fun `a blank text has a blank translation`() {
        val translator = translator(lines("golden.jsonl").first())
        for (text in listOf("", "  \n", "\u3000")) assertEquals("", translator.translate(text))
    }

    @Test
    fun `too many ids are refused`() {
        val translator = translator(lines("golden.jsonl").first())
        assertThrows(IllegalArgumentException::class.java) {
            translator.search(List(files.manifest.maxLength + 1) { 5 }, beam = false)
        }
    }
}

/** Fake interpreter: checks its inputs and returns the outputs of the golden lines. */
private class KnownAnswers(private val manifest: Manifest, line: JSONObject) : Signatures {
    private val special = manifest.specialIds
    private val sourceIds = line.getJSONArray("source_ids").ints()
    private val limit = line.getInt("max_length")
    private val greedy = line.getJSONObject("greedy")
    private val beam = line.getJSONObject("beam")
    private val greedyIds = greedy.getJSONArray("token_ids").ints()
    private var time = 0

    override fun run(name: String, inputs: Map<String, Any>, outputs: Map<String, Any>) {
        assertEquals(manifest.outputs.getValue(name).keys, outputs.keys)
        assertArrayEquals(intArrayOf(sourceIds.size), inputs["source_length"] as IntArray)
        when (name) {
            "encode" -> encode(inputs, outputs)
            "decode_step" -> decodeStep(inputs, outputs)
            else -> translate(if (name == "translate") greedy else beam, inputs, outputs)
        }
    }

    private fun checkSource(inputs: Map<String, Any>) {
        val padded = sourceIds + List(manifest.maxLength - sourceIds.size) { special.pad }
        assertEquals(padded, (inputs["source_ids"] as IntArray).toList())
    }

    private fun translate(answer: JSONObject, inputs: Map<String, Any>, outputs: Map<String, Any>) {
        checkSource(inputs)
        assertArrayEquals(intArrayOf(limit), inputs["max_length"] as IntArray)
        val ids = answer.getJSONArray("token_ids").ints()
        ids.forEachIndexed { i, id -> (outputs["token_ids"] as IntArray)[i] = id }
        (outputs["length"] as IntArray)[0] = ids.size
    }

    private fun encode(inputs: Map<String, Any>, outputs: Map<String, Any>) {
        checkSource(inputs)
        time = 0
        fill(outputs)
    }

    private fun decodeStep(inputs: Map<String, Any>, outputs: Map<String, Any>) {
        val before = if (time == 0) special.start else greedyIds[time - 1]
        assertArrayEquals(intArrayOf(before), inputs["token_id"] as IntArray)
        for ((name, values) in inputs) {
            // Memory is that of `encode`, states are those of the previous step.
            val expected = if (name == "memory" || name == "keys") 0f else time.toFloat()
            if (values is FloatArray) assertEquals(name, expected, values.last(), 0f)
        }
        time++
        fill(outputs)
        val logits = outputs["logits"] as FloatArray
        logits.fill(-1f)
        for (id in special.suppressed) logits[id] = 9f
        logits[greedyIds[time - 1]] = 1f
    }

    private fun fill(outputs: Map<String, Any>) {
        for (values in outputs.values) (values as FloatArray).fill(time.toFloat())
    }
}
