package com.example.translator

import android.app.Activity
import android.graphics.Color
import android.os.Bundle
import android.text.SpannableStringBuilder
import android.text.Spanned
import android.text.style.BackgroundColorSpan
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import java.util.concurrent.Executors

/** Text, button, and the streamed translation, with the attended source words highlighted. */
class MainActivity : Activity() {
    /** All work with the model happens on this one thread. */
    private val worker = Executors.newSingleThreadExecutor()
    private var interpreter: LiteRtSignatures? = null
    private var translator: Translator? = null

    private lateinit var source: EditText
    private lateinit var button: Button
    private lateinit var attended: TextView
    private lateinit var translation: TextView

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        source = EditText(this).apply { setHint(R.string.source_hint) }
        button = Button(this).apply {
            setText(R.string.translate)
            isEnabled = false
            setOnClickListener { translate() }
        }
        attended = TextView(this).apply { textSize = 18f }
        translation = TextView(this).apply {
            textSize = 22f
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
            setTextIsSelectable(true)
        }
        val column = LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            for (view in listOf(source, button, attended, translation)) addView(view)
        }
        // Keeps clear of the system's bars.
        setContentView(ScrollView(this).apply { fitsSystemWindows = true; addView(column) })
        worker.execute(::load)
    }

    override fun onDestroy() {
        worker.execute { interpreter?.close() }
        worker.shutdown()
        super.onDestroy()
    }

    private fun load() {
        try {
            val files = ExportedFiles { name -> assets.open(name).use { it.readBytes() } }
            val signatures = LiteRtSignatures(files.model())
            interpreter = signatures
            translator = Translator(files.manifest, files.tokenizer(), signatures)
            runOnUiThread { button.isEnabled = true }
        } catch (error: ExportedFileException) {
            runOnUiThread { translation.text = error.message }
        }
    }

    private fun translate() {
        val text = source.text.toString()
        button.isEnabled = false
        attended.text = ""
        translation.text = ""
        worker.execute {
            translator?.stream(text) { step ->
                runOnUiThread { show(step) }
                !isDestroyed
            }
            runOnUiThread { button.isEnabled = true }
        }
    }

    private fun show(step: Step) {
        translation.text = step.text
        val line = SpannableStringBuilder()
        for (word in step.source) {
            val start = line.length
            line.append(word.text)
            val alpha = (255 * word.attention).toInt().coerceIn(0, 255)
            val mark = BackgroundColorSpan(Color.argb(alpha, 255, 193, 7))
            line.setSpan(mark, start, line.length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
            line.append(" ")
        }
        attended.text = line
    }
}
