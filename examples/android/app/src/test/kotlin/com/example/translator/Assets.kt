package com.example.translator

import java.io.File
import org.json.JSONArray
import org.json.JSONObject

/** Content of a file of the exported directory; tests run in the folder of the module. */
fun asset(name: String): ByteArray = File("src/main/assets", name).readBytes()

/** The JSON objects of a file that has one on each line. */
fun lines(name: String): List<JSONObject> =
    asset(name).decodeToString().split('\n').filter { it.isNotEmpty() }.map { JSONObject(it) }

fun JSONArray.ints() = List(length()) { getInt(it) }

fun JSONArray.strings() = List(length()) { getString(it) }
