package com.example.translator

import java.io.File
import kotlin.system.exitProcess
import org.json.JSONArray
import org.json.JSONObject

/** Signatures that another process runs, which speaks JSON. */
private class BridgedSignatures(vararg command: String) : Signatures {
    private val process = ProcessBuilder(*command)
        .redirectError(ProcessBuilder.Redirect.DISCARD).start()
    private val input = process.outputStream.bufferedWriter()
    private val output = process.inputStream.bufferedReader()

    override fun run(name: String, inputs: Map<String, Any>, outputs: Map<String, Any>) {
        val request = JSONObject()
        for ((tensor, values) in inputs) request.put(tensor, numbers(values))
        input.write(JSONObject().put("name", name).put("inputs", request).toString() + "\n")
        input.flush()
        val answer = JSONObject(output.readLine())
        for ((tensor, values) in outputs) fill(values, answer.getJSONArray(tensor))
    }

    private fun numbers(values: Any) = JSONArray().apply {
        if (values is IntArray) values.forEach { put(it) }
        if (values is FloatArray) values.forEach { put(it.toDouble()) }
    }

    private fun fill(values: Any, numbers: JSONArray) {
        if (values is IntArray) values.indices.forEach { values[it] = numbers.getInt(it) }
        if (values is FloatArray) {
            values.indices.forEach { values[it] = numbers.getDouble(it).toFloat() }
        }
    }
}

/** Arguments: an exported directory, a file with a JSON string on each line, the server's command. */
fun main(arguments: Array<String>) {
    val directory = File(arguments[0])
    val files = ExportedFiles { directory.resolve(it).readBytes() }
    files.model()
    val server = BridgedSignatures(*arguments.drop(2).toTypedArray())
    val translator = Translator(files.manifest, files.tokenizer(), server)
    for (line in File(arguments[1]).readLines()) {
        val text = JSONArray(line).getString(0)
        var streamed = ""
        var attention = 0.0
        translator.stream(text) { step ->
            streamed = step.text
            attention = maxOf(attention, step.source.sumOf { it.attention.toDouble() })
            true
        }
        val answer = JSONObject()
            .put("ids", JSONArray(translator.sourceIds(text)))
            .put("greedy", translator.translate(text, beam = false))
            .put("beam", translator.translate(text))
            .put("stream", streamed)
            .put("attention", attention)
        println(answer)
    }
    exitProcess(0)
}
