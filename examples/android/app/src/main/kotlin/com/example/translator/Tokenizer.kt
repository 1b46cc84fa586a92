package com.example.translator

import java.util.Base64
import org.json.JSONException
import org.json.JSONObject

/** One piece of a text: its id and its characters (those of the text for an unknown piece). */
data class Piece(val id: Int, val text: String)

/** SentencePiece's unigram model: text to pieces and back. */
class Tokenizer(
    private val vocabulary: List<VocabularyPiece>,
    private val normalizer: Normalizer,
    private val spaceSymbol: Char,
    private val addDummyPrefix: Boolean,
    private val removeExtraSpaces: Boolean,
) {
    class VocabularyPiece(val text: String, val score: Float, val type: String)

    private val ids = HashMap<String, Int>()
    private val unknownId = vocabulary.indexOfFirst { it.type == "unknown" }
    private val unknownScore: Float
    private val longest: Int

    init {
        val normal = vocabulary.filter { it.type == "normal" }
        vocabulary.forEachIndexed { id, piece -> if (piece.type == "normal") ids[piece.text] = id }
        unknownScore = normal.minOf { it.score } - UNKNOWN_PENALTY
        longest = normal.maxOf { it.text.length }
    }

    /** Piece of an id in the vocabulary. */
    fun piece(id: Int) = vocabulary[id].text

    /** Surface form of a piece. */
    fun spelled(piece: Piece) = piece.text.replace(spaceSymbol, ' ')

    fun normalize(text: String) = normalizer.normalize(text)

    /** Ids of a text's pieces, without an end token. */
    fun encode(text: String) = pieces(text).map { it.id }

    /** The pieces of a text. Consecutive unknown characters are merged to one. */
    fun pieces(text: String): List<Piece> {
        val pieces = mutableListOf<Piece>()
        for (piece in segment(normalizer.normalize(text))) {
            if (piece.id == unknownId && pieces.lastOrNull()?.id == unknownId) {
                pieces += Piece(unknownId, pieces.removeAt(pieces.lastIndex).text + piece.text)
            } else {
                pieces += piece
            }
        }
        return pieces
    }

    /** Ids to text. Control pieces are left out. */
    fun decode(ids: List<Int>): String {
        val text = StringBuilder()
        var strips = addDummyPrefix || removeExtraSpaces
        for (id in ids) {
            var piece = vocabulary[id].text
            when (vocabulary[id].type) {
                "control" -> {}
                "unknown" -> text.append(UNKNOWN_TEXT)
                else -> {
                    if (strips && text.isEmpty() && piece.startsWith(spaceSymbol)) {
                        piece = piece.substring(1)
                        strips = removeExtraSpaces
                    }
                    text.append(piece.replace(spaceSymbol, ' '))
                }
            }
        }
        return text.toString()
    }

    /** Viterbi: the segmentation of a normalized text with the highest sum of scores. */
    private fun segment(text: String): List<Piece> {
        val best = FloatArray(text.length + 1)
        val starts = IntArray(text.length + 1) { -1 }
        val pathIds = IntArray(text.length + 1)
        var start = 0

        fun consider(end: Int, id: Int, score: Float) {
            val total = best[start] + score
            if (starts[end] == -1 || total > best[end]) {
                best[end] = total
                starts[end] = start
                pathIds[end] = id
            }
        }

        while (start < text.length) {
            val next = text.offsetByCodePoints(start, 1)
            var isKnown = false
            for (end in next..minOf(start + longest, text.length)) {
                val id = ids[text.substring(start, end)] ?: continue
                consider(end, id, vocabulary[id].score)
                isKnown = isKnown || end == next
            }
            if (!isKnown) consider(next, unknownId, unknownScore)
            start = next
        }
        val pieces = mutableListOf<Piece>()
        var end = text.length
        while (end > 0) {
            pieces += Piece(pathIds[end], text.substring(starts[end], end))
            end = starts[end]
        }
        return pieces.asReversed()
    }

    companion object {
        private const val FORMAT = "keras-bahdanau-tokenizer"
        private const val FORMAT_VERSION = 1
        private const val UNKNOWN_PENALTY = 10f
        private const val UNKNOWN_TEXT = " \u2047 "
        private val TYPES = setOf("normal", "unknown", "control", "unused")

        /** Reads the content of `tokenizer.json`. */
        fun fromJson(text: String): Tokenizer =
            try {
                val json = JSONObject(text)
                checkFormat(json, FORMAT, FORMAT_VERSION, "tokenizer.json")
                fromJson(json)
            } catch (error: JSONException) {
                throw ExportedFileException("Expected a tokenizer in JSON. Received: $error", error)
            }

        private fun fromJson(json: JSONObject): Tokenizer {
            val rows = json.getJSONArray("pieces")
            val vocabulary = List(rows.length()) { id ->
                val row = rows.getJSONArray(id)
                VocabularyPiece(row.getString(0), row.getDouble(1).toFloat(), row.getString(2))
            }
            val unsupported = vocabulary.map { it.type }.toSet() - TYPES
            val model = json.getString("model_type")
            val byteFallback = json.getBoolean("byte_fallback")
            if (model != "unigram" || byteFallback || unsupported.isNotEmpty()) {
                throw ExportedFileException(
                    "Expected a unigram tokenizer without byte_fallback, its pieces of $TYPES. " +
                        "Received: a $model tokenizer, byte_fallback $byteFallback, " +
                        "pieces of $unsupported"
                )
            }
            val spaceSymbol = json.getString("space_symbol").single()
            val addDummyPrefix = json.getBoolean("add_dummy_prefix")
            val removeExtraSpaces = json.getBoolean("remove_extra_whitespaces")
            val normalizer = Normalizer(
                Base64.getDecoder().decode(json.getString("charsmap")),
                addDummyPrefix,
                removeExtraSpaces,
                space = if (json.getBoolean("escape_whitespaces")) spaceSymbol else ' ',
            )
            return Tokenizer(vocabulary, normalizer, spaceSymbol, addDummyPrefix, removeExtraSpaces)
        }
    }
}
