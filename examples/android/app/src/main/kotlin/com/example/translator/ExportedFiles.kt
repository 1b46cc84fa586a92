package com.example.translator

import java.io.IOException
import java.security.MessageDigest
import org.json.JSONException
import org.json.JSONObject

/** An exported file is missing, damaged, or newer than this program. */
class ExportedFileException(message: String, cause: Throwable? = null) : Exception(message, cause)

class Tensor(val size: Int, val isInteger: Boolean)

class SpecialIds(val pad: Int, val unknown: Int, val start: Int, val end: Int) {
    /** Ids of tokens that are never generated. */
    val suppressed = listOf(pad, unknown, start)
    /** Ids of tokens without text. */
    val all = setOf(pad, unknown, start, end)
}

/** The fields of `manifest.json` that this program reads. */
class Manifest(json: JSONObject) {
    /** Longest source in pieces, the end token included. */
    val maxLength = json.getInt("max_length")
    val maxTargetLength = json.getInt("max_target_length")
    val beamWidth = json.getInt("beam_width")
    val specialIds = json.getJSONObject("special_ids").let {
        SpecialIds(
            pad = it.getInt("pad_id"),
            unknown = it.getInt("unknown_id"),
            start = it.getInt("start_id"),
            end = it.getInt("end_id"),
        )
    }
    private val boundFactor = json.getJSONObject("length_bound").getInt("factor")
    private val boundOffset = json.getJSONObject("length_bound").getInt("offset")
    val files: JSONObject = json.getJSONObject("files")

    /** The tensors that each signature returns, by name. */
    val outputs: Map<String, Map<String, Tensor>> =
        children(json.getJSONObject("signatures")).mapValues { (_, signature) ->
            children(signature.getJSONObject("outputs")).mapValues { (_, tensor) -> read(tensor) }
        }

    /** Maximum length of the translation of a source, in tokens. */
    fun bound(sourceLength: Int) = minOf(boundFactor * sourceLength + boundOffset, maxTargetLength)

    private fun children(json: JSONObject): Map<String, JSONObject> {
        val names = json.names() ?: return mapOf()
        return List(names.length()) { names.getString(it) }.associateWith { json.getJSONObject(it) }
    }

    private fun read(json: JSONObject): Tensor {
        val shape = json.getJSONArray("shape")
        val size = (0 until shape.length()).fold(1) { product, i -> product * shape.getInt(i) }
        return Tensor(size, isInteger = json.getString("dtype") == "int32")
    }
}

/**
 * The files of one exported directory, each checked against the manifest when it is read.
 *
 * @param read returns the content of the file of a name, for example from the app's assets.
 */
class ExportedFiles(private val read: (String) -> ByteArray) {
    val manifest = readManifest()

    fun model(): ByteArray = checked("translator.tflite")

    fun tokenizer() = Tokenizer.fromJson(checked("tokenizer.json").decodeToString())

    private fun checked(name: String): ByteArray {
        val content = readOrExplain(name)
        val expected = manifest.files.optJSONObject(name)
            ?: throw ExportedFileException("Expected a manifest that names $name. Received: none")
        val digest = MessageDigest.getInstance("SHA-256").digest(content)
        if (digest.joinToString("") { "%02x".format(it) } != expected.getString("sha256")) {
            throw ExportedFileException(
                "Expected the $name that $MANIFEST names, of ${expected.getInt("bytes")} bytes. " +
                    "Received: ${content.size} bytes, damaged or of another export"
            )
        }
        return content
    }

    private fun readManifest(): Manifest {
        val text = readOrExplain(MANIFEST).decodeToString()
        try {
            val json = JSONObject(text)
            checkFormat(json, FORMAT, FORMAT_VERSION, MANIFEST)
            return Manifest(json)
        } catch (error: JSONException) {
            throw ExportedFileException("Expected a manifest in JSON. Received: $error", error)
        }
    }

    private fun readOrExplain(name: String): ByteArray =
        try {
            read(name)
        } catch (error: IOException) {
            throw ExportedFileException(
                "Expected an exported directory with translator.tflite, tokenizer.json and " +
                    "$MANIFEST. Received: $name, which cannot be read ($error)",
                error,
            )
        }

    private companion object {
        const val MANIFEST = "manifest.json"
        const val FORMAT = "keras-bahdanau-litert"
        const val FORMAT_VERSION = 1
    }
}

/** Throws for a file of another format or of a newer version. */
fun checkFormat(json: JSONObject, format: String, version: Int, file: String) {
    val received = json.optString("format")
    val receivedVersion = json.optInt("format_version", Int.MAX_VALUE)
    if (received != format || receivedVersion > version) {
        throw ExportedFileException(
            "Expected format $format, version $version at most. " +
                "Received: $file, format $received, version ${json.opt("format_version")}"
        )
    }
}
