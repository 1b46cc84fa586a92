package com.example.translator

/**
 * Runs one signature of the exported file: arrays of `Int` or `Float`, by the tensors' names.
 *
 * The translator's only interface to the interpreter, so that it can be tested without one.
 */
fun interface Signatures {
    /**
     * @param inputs values of all inputs.
     * @param outputs arrays of the right sizes, which are filled.
     */
    fun run(name: String, inputs: Map<String, Any>, outputs: Map<String, Any>)
}

/** Result of a search. The numbers are those of beam search, null from greedy search. */
class Found(val tokenIds: List<Int>, val logProbability: Float?, val score: Float?)

/** A word of the source and its attention weight, at most 1. */
class Word(val text: String, val attention: Float)

/**
 * One step of a translation as it is generated.
 *
 * @property text the translation up to here.
 * @property source the part of the source that is being translated. The weights of its words
 *   and of the end token sum to 1.
 */
class Step(val text: String, val source: List<Word>)

/** Translates text with an exported file. */
class Translator(
    private val manifest: Manifest,
    private val tokenizer: Tokenizer,
    private val signatures: Signatures,
) {
    private val special = manifest.specialIds

    /**
     * Translates a text by beam search, or by greedy search.
     *
     * A text beyond the model's limit is split at sentence ends (else at spaces), translated part
     * by part and joined. A blank text has a blank translation.
     */
    fun translate(text: String, beam: Boolean = true): String =
        parts(text)
            .map { part -> text(search(sourceIds(part), beam).tokenIds) }
            .filter { it.isNotEmpty() }
            .joinToString(" ")

    /**
     * Translates a text by greedy search and calls `onStep` for every step.
     *
     * The last step's text is what `translate` returns with `beam = false`.
     *
     * @param onStep called with each step; the translation ends where it returns false.
     */
    fun stream(text: String, onStep: (Step) -> Boolean) {
        var finished = ""
        for (part in parts(text)) {
            val lead = if (finished.isEmpty()) "" else "$finished "
            var written = ""
            val isWanted = streamPart(part) { tokenIds, source ->
                written = text(tokenIds)
                onStep(Step(if (written.isEmpty()) finished else lead + written, source))
            }
            if (!isWanted) return
            if (written.isNotEmpty()) finished = lead + written
        }
    }

    /** The text, its parts if it is beyond the limit, or nothing if it is blank. */
    fun parts(text: String): List<String> {
        val length = sourceLength(text)
        if (length == 1 || text.all(::isSpace)) return listOf()
        if (length <= manifest.maxLength) return listOf(text)
        return splitAtSentences(text, ::sourceLength, manifest.maxLength)
    }

    /** Ids of a text's pieces and the end token: input of the signatures. */
    fun sourceIds(text: String) = tokenizer.encode(text) + special.end

    fun sourceLength(text: String) = sourceIds(text).size

    /** Runs `translate` or `translate_beam` on ids with the end token. */
    fun search(sourceIds: List<Int>, beam: Boolean): Found {
        val limit = mapOf("max_length" to intArrayOf(manifest.bound(sourceIds.size)))
        val found = run(if (beam) "translate_beam" else "translate", source(sourceIds) + limit)
        val length = (found.getValue("length") as IntArray)[0]
        return Found(
            (found.getValue("token_ids") as IntArray).take(length),
            (found["log_probability"] as FloatArray?)?.get(0),
            (found["score"] as FloatArray?)?.get(0),
        )
    }

    /** Runs `encode` and `decode_step`; returns false if `onToken` stopped it. */
    private fun streamPart(
        text: String,
        onToken: (tokenIds: List<Int>, source: List<Word>) -> Boolean,
    ): Boolean {
        val pieces = tokenizer.pieces(text)
        val source = source(pieces.map { it.id } + special.end)
        val encoded = run("encode", source)
        val fixed = (encoded + source).filterKeys { it in FIXED_INPUTS }
        var states = encoded - MEMORY
        val tokenIds = mutableListOf<Int>()
        repeat(manifest.bound(pieces.size + 1)) {
            val last = mapOf("token_id" to intArrayOf(tokenIds.lastOrNull() ?: special.start))
            val outputs = run("decode_step", last + fixed + states)
            states = outputs - STEP_OUTPUTS
            tokenIds += best(outputs.getValue("logits") as FloatArray)
            val attention = outputs.getValue("attention_scores") as FloatArray
            if (!onToken(tokenIds, words(pieces, attention))) return false
            if (tokenIds.last() == special.end) return true
        }
        return true
    }

    private fun words(pieces: List<Piece>, attention: FloatArray): List<Word> {
        val words = mutableListOf<Word>()
        for ((piece, weight) in pieces.zip(attention.asIterable())) {
            val spelled = tokenizer.spelled(piece)
            if (words.isEmpty() || spelled.startsWith(' ')) words += Word("", 0f)
            val word = words.removeAt(words.lastIndex)
            words += Word(word.text + spelled.removePrefix(" "), word.attention + weight)
        }
        return words
    }

    /** Argmax of the logits without suppressed tokens; the first of equal ones. */
    private fun best(logits: FloatArray): Int {
        for (id in special.suppressed) logits[id] = Float.NEGATIVE_INFINITY
        var best = 0
        for (id in logits.indices) if (logits[id] > logits[best]) best = id
        return best
    }

    private fun text(tokenIds: List<Int>) = tokenizer.decode(tokenIds.filter { it !in special.all })

    private fun source(sourceIds: List<Int>): Map<String, Any> {
        require(sourceIds.size in 1..manifest.maxLength) {
            "Expected 1 to ${manifest.maxLength} source ids. Received: ${sourceIds.size}"
        }
        val padded = IntArray(manifest.maxLength) { sourceIds.getOrElse(it) { special.pad } }
        return mapOf("source_ids" to padded, "source_length" to intArrayOf(sourceIds.size))
    }

    private fun run(name: String, inputs: Map<String, Any>): Map<String, Any> {
        val outputs = manifest.outputs.getValue(name).mapValues { (_, tensor) ->
            if (tensor.isInteger) IntArray(tensor.size) else FloatArray(tensor.size)
        }
        signatures.run(name, inputs, outputs)
        return outputs
    }

    private companion object {
        val MEMORY = setOf("memory", "keys")
        val FIXED_INPUTS = MEMORY + "source_length"
        val STEP_OUTPUTS = setOf("logits", "attention_scores")
    }
}
