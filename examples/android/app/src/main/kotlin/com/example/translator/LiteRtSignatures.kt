package com.example.translator

import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.nio.IntBuffer
import org.tensorflow.lite.Interpreter

/**
 * The signatures of a model, run by LiteRT. Not thread-safe.
 *
 * @param model content of `translator.tflite`.
 * @param threads one sentence hardly gains from more than one.
 */
class LiteRtSignatures(model: ByteArray, threads: Int = 1) : Signatures, AutoCloseable {
    private val interpreter = Interpreter(
        ByteBuffer.allocateDirect(model.size).order(ByteOrder.nativeOrder()).apply {
            duplicate().put(model)
        },
        Interpreter.Options().setNumThreads(threads),
    )

    override fun run(name: String, inputs: Map<String, Any>, outputs: Map<String, Any>) =
        interpreter.runSignature(inputs.mapValues(::buffer), outputs.mapValues(::buffer), name)

    override fun close() = interpreter.close()

    /** An array as a flat buffer: the interpreter would resize the tensor to an array's shape. */
    private fun buffer(tensor: Map.Entry<String, Any>): Buffer = when (val values = tensor.value) {
        is IntArray -> IntBuffer.wrap(values)
        is FloatArray -> FloatBuffer.wrap(values)
        else -> throw IllegalArgumentException(
            "Expected an array of Int or Float. Received: ${tensor.key} of ${values.javaClass}"
        )
    }
}
