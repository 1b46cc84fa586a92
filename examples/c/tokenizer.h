/* Tokenizer in C11: text to pieces and back, from tokenizer.json alone.
 *
 * Specified in ../tokenizer/README.md. The functions are static: include it in one file of a
 * program. A wrong or damaged file ends the program with one line of error and exit code 2.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, WRONG_INPUT = 2, MAX_DEPTH = 32 };

static _Noreturn void fail(int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("translate: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(code);
}

static void *resized(void *memory, size_t count, size_t size) {
    if (count > SIZE_MAX / size || !(memory = realloc(memory, count * size))) {
        fail(FAILED, "Expected memory for %zu values of %zu bytes. Received: none", count, size);
    }
    return memory;
}

/* ---- Growable byte strings, NUL-terminated; they may contain NUL. ---- */

typedef struct {
    char *data;
    size_t length, capacity;
} Bytes;

static void append(Bytes *bytes, const void *data, size_t length) {
    if (length >= bytes->capacity - bytes->length) {
        if (length > SIZE_MAX / 4 - bytes->length) fail(FAILED, "Expected less text");
        bytes->capacity = 2 * (bytes->length + length) + 16;
        bytes->data = resized(bytes->data, bytes->capacity, 1);
    }
    if (length) memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}

static bool same(Bytes bytes, const char *data, size_t length) {
    return bytes.length == length && !(length && memcmp(bytes.data, data, length));
}

static Bytes read_all(const char *path) {
    Bytes content = {0};
    char block[1 << 16];
    size_t length;
    FILE *file = fopen(path, "rb");
    append(&content, "", 0);
    while (file && (length = fread(block, 1, sizeof block, file))) append(&content, block, length);
    if (!file || ferror(file)) {
        fail(WRONG_INPUT, "Expected a file of an exported LiteRT directory. Received: %s, which "
             "cannot be read (%s)", path, strerror(errno));
    }
    fclose(file);
    return content;
}

/* ---- UTF-8 ---- */

static void append_character(Bytes *bytes, uint32_t code) {
    unsigned char c[4] = {(unsigned char)code};
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char LEAD[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length; length > 1 && i-- > 0; code >>= 6) {
        c[i] = (unsigned char)(i ? 0x80 | (code & 0x3F) : LEAD[length] | code);
    }
    append(bytes, c, length);
}

/* Length of the character at the start of `text`, 0 if there is no valid one. */
static size_t character(const char *text, size_t left, uint32_t *code) {
    const unsigned char *c = (const unsigned char *)text;
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = c[0] < 0x80 ? 1 : c[0] < 0xC0 ? 0 : c[0] < 0xE0 ? 2 : c[0] < 0xF0 ? 3 : 4;
    if (c[0] >= 0xF8 || length > left) return 0;
    uint32_t value = length == 1 ? c[0] : c[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (c[i] & 0x3F);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000) || value < LEAST[length]) return 0;
    *code = value;
    return length;
}

/* ---- JSON ---- */

typedef enum { LITERAL, NUMBER, STRING, ARRAY, OBJECT } Kind;

typedef struct Value {
    Kind kind;
    double number; /* 1 of true, 0 of false and null. */
    Bytes text;
    struct Value *items; /* Of an object: key, value, key, value. */
    size_t count;
} Value;

typedef struct {
    const char *path, *start, *at, *end;
} Reader;

static _Noreturn void fail_json(const Reader *reader) {
    fail(WRONG_INPUT, "Expected JSON. Received: %s, which is damaged at byte %zu", reader->path,
         (size_t)(reader->at - reader->start));
}

static char next(Reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at) reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

static uint32_t hexadecimal(Reader *reader) {
    uint32_t code = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        const char *digit = reader->at < reader->end && *reader->at
                                ? strchr("0123456789abcdefABCDEF", *reader->at) : NULL;
        if (!digit) fail_json(reader);
        code = code << 4 | (uint32_t)strtoul((char[]){*digit, '\0'}, NULL, 16);
    }
    return code;
}

static void read_escape(Reader *reader, Bytes *text) {
    static const char NAMES[] = "\"\\/bfnrt", VALUES[] = "\"\\/\b\f\n\r\t";
    char name = reader->at < reader->end ? *reader->at++ : '\0';
    if (name != 'u') {
        const char *found = name ? strchr(NAMES, name) : NULL;
        if (!found) fail_json(reader);
        append(text, &VALUES[found - NAMES], 1);
        return;
    }
    uint32_t code = hexadecimal(reader);
    if (code >= 0xD800 && code < 0xDC00 && reader->end - reader->at >= 6 &&
        reader->at[0] == '\\' && reader->at[1] == 'u') {
        Reader after = {reader->path, reader->start, reader->at + 2, reader->end};
        uint32_t low = hexadecimal(&after);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            reader->at = after.at;
        }
    }
    append_character(text, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
}

static Bytes read_string(Reader *reader) {
    Bytes text = {0};
    append(&text, "", 0);
    for (reader->at++; reader->at < reader->end && *reader->at != '"';) {
        const char *run = reader->at;
        while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\') {
            if ((unsigned char)*reader->at++ < 0x20) fail_json(reader);
        }
        append(&text, run, (size_t)(reader->at - run));
        if (reader->at < reader->end && *reader->at == '\\') {
            reader->at++;
            read_escape(reader, &text);
        }
    }
    if (reader->at++ >= reader->end) fail_json(reader);
    return text;
}

static Value read_value(Reader *reader, int depth);

static void read_items(Reader *reader, Value *value, char close, int depth) {
    size_t capacity = 0;
    bool first = true;
    for (reader->at++; next(reader) != close; first = false) {
        if (!first && *reader->at++ != ',') fail_json(reader);
        for (int part = value->kind == OBJECT ? 0 : 1; part < 2; part++) {
            if (value->count == capacity) {
                capacity = 2 * capacity + 4;
                value->items = resized(value->items, capacity, sizeof *value->items);
            }
            if (part == 0 && next(reader) != '"') fail_json(reader);
            value->items[value->count] = read_value(reader, depth + 1);
            value->count++;
            if (part == 0 && (next(reader) != ':' || !reader->at++)) fail_json(reader);
        }
    }
    reader->at++;
}

static Value read_value(Reader *reader, int depth) {
    static const char *const LITERALS[] = {"false", "true", "null"};
    Value value = {0};
    char first = next(reader);
    if (depth > MAX_DEPTH) fail_json(reader);
    if (first == '"') {
        value.kind = STRING;
        value.text = read_string(reader);
    } else if (first == '[' || first == '{') {
        value.kind = first == '[' ? ARRAY : OBJECT;
        read_items(reader, &value, first == '[' ? ']' : '}', depth);
    } else if (first == '-' || (first >= '0' && first <= '9')) {
        char *end;
        value.kind = NUMBER;
        value.number = strtod(reader->at, &end);
        if (end != reader->at + strspn(reader->at, "+-.0123456789eE")) fail_json(reader);
        reader->at = end;
    } else {
        for (int i = 0; i < 3; i++) {
            size_t length = strlen(LITERALS[i]);
            if ((size_t)(reader->end - reader->at) >= length &&
                !memcmp(reader->at, LITERALS[i], length)) {
                value.number = i == 1;
                reader->at += length;
                return value;
            }
        }
        fail_json(reader);
    }
    return value;
}

static Value read_json(const char *path, const char *text, size_t length) {
    Reader reader = {path, text, text, text + length};
    Value value = read_value(&reader, 0);
    if (next(&reader) || reader.at != reader.end) fail_json(&reader);
    return value;
}

static void free_value(Value *value) {
    for (size_t i = 0; i < value->count; i++) free_value(&value->items[i]);
    free(value->items);
    free(value->text.data);
}

static const Value *find(const Value *object, const char *key) {
    for (size_t i = 0; object->kind == OBJECT && i < object->count; i += 2) {
        if (same(object->items[i].text, key, strlen(key))) return &object->items[i + 1];
    }
    return NULL;
}

static const Value *need(const char *path, const Value *object, const char *key, Kind kind) {
    const Value *value = find(object, key);
    if (!value || value->kind != kind) {
        fail(WRONG_INPUT, "Expected the key \"%s\". Received: %s without it", key, path);
    }
    return value;
}

static int32_t need_integer(const char *path, const Value *object, const char *key) {
    double number = need(path, object, key, NUMBER)->number;
    if (!(number >= 0 && number <= 1 << 24) || number != (int32_t)number) {
        fail(WRONG_INPUT, "Expected a number of 0 to 2^24. Received: %s, \"%s\": %g", path, key,
             number);
    }
    return (int32_t)number;
}

static void check_format(const char *path, const Value *file, const char *format) {
    const Bytes *name = &need(path, file, "format", STRING)->text;
    int32_t version = need_integer(path, file, "format_version");
    if (!same(*name, format, strlen(format)) || version != 1) {
        fail(WRONG_INPUT, "Expected format %s, version 1. Received: %s, format %s, version %d",
             format, path, name->data, (int)version);
    }
}

/* ---- The tokenizer ---- */

typedef enum { NORMAL, UNKNOWN, CONTROL, UNUSED } Type;

typedef struct {
    Bytes text;
    float score;
    Type type;
} Piece;

typedef struct {
    Value file;
    Piece *pieces;
    size_t count, longest;
    uint32_t *slots; /* A hash table of the normal pieces: their ids + 1, 0 where it is free. */
    size_t mask;
    Bytes charsmap;
    size_t units; /* Number of the charsmap's trie units. */
    bool add_dummy_prefix, remove_extra_whitespaces;
    Bytes symbol, space; /* The space symbol, and what a space becomes. */
    int32_t unknown_id;
    float unknown_score;
} Tokenizer;

typedef struct {
    size_t start, length; /* Bytes of the normalized text. */
    int32_t id;
} Segment;

typedef struct {
    Bytes normalized;
    Segment *items;
    size_t count;
} Segments;

static uint32_t mixed(uint32_t hash, char byte) { return (hash ^ (unsigned char)byte) * 16777619u; }

static uint32_t *slot_of(const Tokenizer *tokenizer, uint32_t hash, const char *text,
                         size_t length) {
    size_t slot = hash & tokenizer->mask;
    while (tokenizer->slots[slot] &&
           !same(tokenizer->pieces[tokenizer->slots[slot] - 1].text, text, length)) {
        slot = (slot + 1) & tokenizer->mask;
    }
    return &tokenizer->slots[slot];
}

static Type read_type(const char *path, const Value *type) {
    static const char *const NAMES[] = {"normal", "unknown", "control", "unused"};
    for (int i = 0; i < 4; i++) {
        if (same(type->text, NAMES[i], strlen(NAMES[i]))) return (Type)i;
    }
    fail(WRONG_INPUT, "Expected pieces that are normal, unknown, control or unused. Received: %s, "
         "type %s", path, type->kind == STRING ? type->text.data : "of another kind");
}

static void read_pieces(const char *path, Tokenizer *tokenizer, const Value *pieces) {
    float least = 0;
    bool any = false;
    tokenizer->unknown_id = -1;
    tokenizer->count = pieces->count;
    tokenizer->pieces = resized(NULL, pieces->count + 1, sizeof *tokenizer->pieces);
    for (tokenizer->mask = 15; tokenizer->mask < 2 * pieces->count;) {
        tokenizer->mask = 2 * tokenizer->mask + 1;
    }
    tokenizer->slots = resized(NULL, tokenizer->mask + 1, sizeof *tokenizer->slots);
    memset(tokenizer->slots, 0, (tokenizer->mask + 1) * sizeof *tokenizer->slots);
    for (size_t i = 0; i < pieces->count; i++) {
        const Value *item = &pieces->items[i];
        if (item->kind != ARRAY || item->count != 3 || item->items[0].kind != STRING ||
            item->items[1].kind != NUMBER || !item->items[0].text.length ||
            !(item->items[1].number > -1e30 && item->items[1].number < 1e30)) {
            fail(WRONG_INPUT, "Expected [piece, score, type] for each id. Received: %s, id %zu",
                 path, i);
        }
        Piece piece = {item->items[0].text, (float)item->items[1].number,
                       read_type(path, &item->items[2])};
        tokenizer->pieces[i] = piece;
        if (piece.type == UNKNOWN) tokenizer->unknown_id = (int32_t)i;
        if (piece.type != NORMAL) continue;
        uint32_t hash = 2166136261u;
        for (size_t c = 0; c < piece.text.length; c++) hash = mixed(hash, piece.text.data[c]);
        *slot_of(tokenizer, hash, piece.text.data, piece.text.length) = (uint32_t)i + 1;
        if (piece.text.length > tokenizer->longest) tokenizer->longest = piece.text.length;
        least = any && least < piece.score ? least : piece.score;
        any = true;
    }
    if (!any || tokenizer->unknown_id < 0) {
        fail(WRONG_INPUT, "Expected normal pieces and an unknown one. Received: %s", path);
    }
    tokenizer->unknown_score = least - 10;
}

static uint32_t unit(const Tokenizer *tokenizer, size_t index) {
    const unsigned char *u = (unsigned char *)tokenizer->charsmap.data + 4 + 4 * index;
    return u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

static void read_charsmap(const char *path, Tokenizer *tokenizer, const Bytes *base64) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    Bytes *charsmap = &tokenizer->charsmap;
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < base64->length && base64->data[i] != '='; i++) {
        const char *digit = base64->data[i] ? strchr(DIGITS, base64->data[i]) : NULL;
        if (!digit) fail(WRONG_INPUT, "Expected \"charsmap\" in Base64. Received: %s", path);
        bits = bits << 6 | (uint32_t)(digit - DIGITS);
        if ((held += 6) >= 8) {
            held -= 8;
            append(charsmap, (char[]){(char)(bits >> held & 0xFF)}, 1);
        }
    }
    if (!charsmap->length) return;
    const unsigned char *c = (unsigned char *)charsmap->data;
    size_t size = charsmap->length < 4 ? SIZE_MAX : 0;
    for (int i = 3; i >= 0 && size != SIZE_MAX; i--) size = size << 8 | c[i];
    if (!size || size % 4 || size >= charsmap->length - 4 || charsmap->data[charsmap->length - 1]) {
        fail(WRONG_INPUT, "Expected a whole \"charsmap\". Received: %s, %zu bytes of it", path,
             charsmap->length);
    }
    tokenizer->units = size / 4;
}

static Tokenizer read_tokenizer(const char *path, const Bytes *content) {
    Tokenizer tokenizer = {.file = read_json(path, content->data, content->length)};
    const Value *file = &tokenizer.file;
    check_format(path, file, "keras-bahdanau-tokenizer");
    const Bytes *model_type = &need(path, file, "model_type", STRING)->text;
    bool byte_fallback = need(path, file, "byte_fallback", LITERAL)->number != 0;
    if (!same(*model_type, "unigram", 7) || byte_fallback) {
        fail(WRONG_INPUT, "Expected a unigram model without byte_fallback. Received: %s, "
             "model_type %s, byte_fallback %s", path, model_type->data,
             byte_fallback ? "true" : "false");
    }
    tokenizer.add_dummy_prefix = need(path, file, "add_dummy_prefix", LITERAL)->number != 0;
    tokenizer.remove_extra_whitespaces =
        need(path, file, "remove_extra_whitespaces", LITERAL)->number != 0;
    tokenizer.symbol = need(path, file, "space_symbol", STRING)->text;
    bool escapes = need(path, file, "escape_whitespaces", LITERAL)->number != 0;
    append(&tokenizer.space, escapes ? tokenizer.symbol.data : " ",
           escapes ? tokenizer.symbol.length : 1);
    if (!tokenizer.symbol.length) fail(WRONG_INPUT, "Expected a space symbol. Received: %s", path);
    read_charsmap(path, &tokenizer, &need(path, file, "charsmap", STRING)->text);
    read_pieces(path, &tokenizer, need(path, file, "pieces", ARRAY));
    return tokenizer;
}

static void free_tokenizer(Tokenizer *tokenizer) {
    free_value(&tokenizer->file);
    free(tokenizer->pieces);
    free(tokenizer->slots);
    free(tokenizer->charsmap.data);
    free(tokenizer->space.data);
}

/* Length of the longest match at the start of `text`, 0 without one; and its replacement. */
static size_t longest_match(const Tokenizer *tokenizer, const char *text, size_t left,
                            const char **replacement) {
    size_t found = 0, node = 0, size = tokenizer->units;
    const char *replacements = tokenizer->charsmap.data + 4 + 4 * size;
    size_t limit = size ? tokenizer->charsmap.length - 4 - 4 * size : 0;
    for (size_t i = 0; size && i <= left; i++) {
        uint32_t here = unit(tokenizer, node);
        node ^= (size_t)(here >> 10) << ((here & 0x200) >> 6);
        if (node >= size) break;
        if (i && here & 0x100) {
            size_t start = unit(tokenizer, node) & 0x7FFFFFFF;
            if (start >= limit) break;
            *replacement = replacements + start;
            found = i;
        }
        if (i == left) break;
        node ^= (unsigned char)text[i];
        if (node >= size || (unit(tokenizer, node) & 0x800000FF) != (unsigned char)text[i]) break;
    }
    return found;
}

static Bytes normalize(const Tokenizer *tokenizer, const char *text, size_t length) {
    Bytes result = {0};
    const Bytes *space = &tokenizer->space;
    bool collapse = tokenizer->remove_extra_whitespaces, after_space = collapse;
    append(&result, "", 0);
    if (length && tokenizer->add_dummy_prefix) append(&result, space->data, space->length);
    for (size_t at = 0, step; at < length; at += step) {
        const char *part = NULL;
        uint32_t code;
        size_t size;
        if ((step = longest_match(tokenizer, text + at, length - at, &part))) {
            size = strlen(part);
        } else if ((step = character(text + at, length - at, &code))) {
            part = text + at;
            size = step;
        } else {
            part = "\xEF\xBF\xBD";
            size = 3;
            step = 1;
        }
        while (after_space && size && *part == ' ') {
            part++;
            size--;
        }
        for (size_t i = 0; i < size; i++) {
            if (part[i] == ' ') append(&result, space->data, space->length);
            else append(&result, part + i, 1);
        }
        if (size) after_space = collapse && part[size - 1] == ' ';
    }
    while (collapse && result.length >= space->length &&
           !memcmp(result.data + result.length - space->length, space->data, space->length)) {
        result.length -= space->length;
    }
    result.data[result.length] = '\0';
    return result;
}

typedef struct {
    float score;
    bool known;
    int32_t id;
    size_t start;
} Best;

static void propose(Best *best, float score, int32_t id, size_t start) {
    if (!best->known || score > best->score) *best = (Best){score, true, id, start};
}

/* Viterbi: the best segmentation that ends at each byte, from the best of those before it. */
static Segments segment(const Tokenizer *tokenizer, const char *text, size_t length) {
    Segments found = {.normalized = normalize(tokenizer, text, length)};
    const char *data = found.normalized.data;
    size_t size = found.normalized.length, step = 1;
    Best *best = resized(NULL, size + 1, sizeof *best);
    for (size_t i = 0; i <= size; i++) best[i] = (Best){0};
    for (size_t start = 0; start < size; start += step) {
        uint32_t hash = 2166136261u, code;
        bool is_known = false;
        if (!(step = character(data + start, size - start, &code))) step = 1;
        for (size_t n = 1; n <= tokenizer->longest && n <= size - start; n++) {
            hash = mixed(hash, data[start + n - 1]);
            uint32_t slot = n < step ? 0 : *slot_of(tokenizer, hash, data + start, n);
            if (!slot) continue;
            float total = best[start].score + tokenizer->pieces[slot - 1].score;
            propose(&best[start + n], total, (int32_t)slot - 1, start);
            is_known = is_known || n == step;
        }
        if (!is_known) {
            float total = best[start].score + tokenizer->unknown_score;
            propose(&best[start + step], total, tokenizer->unknown_id, start);
        }
    }
    for (size_t end = size; end; end = best[end].start) found.count++;
    found.items = resized(NULL, found.count + 1, sizeof *found.items);
    for (size_t end = size, i = found.count; i-- > 0; end = best[end].start) {
        found.items[i] = (Segment){best[end].start, end - best[end].start, best[end].id};
    }
    free(best);
    size_t kept = 0;
    for (size_t i = 0; i < found.count; i++) {
        Segment item = found.items[i], *last = kept ? &found.items[kept - 1] : NULL;
        bool joins = last && item.id == tokenizer->unknown_id && last->id == item.id;
        if (joins) last->length += item.length;
        else found.items[kept++] = item;
    }
    found.count = kept;
    return found;
}

static void free_segments(Segments *segments) {
    free(segments->normalized.data);
    free(segments->items);
}

static Bytes decode(const Tokenizer *tokenizer, const int32_t *ids, size_t count) {
    Bytes text = {0};
    bool every = tokenizer->remove_extra_whitespaces;
    bool strips = every || tokenizer->add_dummy_prefix;
    size_t width = tokenizer->symbol.length;
    append(&text, "", 0);
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= tokenizer->count) {
            fail(WRONG_INPUT, "Expected ids of 0 to %zu. Received: %d", tokenizer->count - 1,
                 (int)ids[i]);
        }
        const Piece *piece = &tokenizer->pieces[ids[i]];
        if (piece->type == UNKNOWN) append(&text, " \xE2\x81\x87 ", 5);
        if (piece->type == UNKNOWN || piece->type == CONTROL) continue;
        for (size_t at = 0; at < piece->text.length;) {
            bool is_symbol = piece->text.length - at >= width &&
                             !memcmp(piece->text.data + at, tokenizer->symbol.data, width);
            if (is_symbol && at == 0 && strips && !text.length) strips = every;
            else append(&text, is_symbol ? " " : piece->text.data + at, 1);
            at += is_symbol ? width : 1;
        }
    }
    return text;
}
