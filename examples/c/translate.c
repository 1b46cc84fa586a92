/* Translates lines of text with an exported LiteRT directory, in C11 on LiteRT's C API.
 *
 * The directory's translator.tflite, tokenizer.json and manifest.json are all that it needs.
 * README.md beside this file says how to build and call it. With -DTOKENIZER_ONLY it is built
 * without LiteRT, and only tokenizes.
 */

#include "tokenizer.h"

static const char USAGE[] =
    "translate DIRECTORY [--greedy] [--tokenize | --check FILE]\n"
    "  Translates each line of standard input by beam search, or by greedy search.\n"
    "  --tokenize    writes the pieces and ids of each line instead\n"
    "  --check FILE  checks golden.jsonl or tokenizer_vectors.jsonl of the directory instead";

/* ---- The exported directory ---- */

typedef struct {
    const char *directory;
    Value manifest;
    Tokenizer tokenizer;
    int32_t max_length, max_target_length, factor, offset, end_id, special_ids[4];
    struct Engine *engine;
} Translator;

static Bytes joined_path(const char *directory, const char *name) {
    Bytes path = {0};
    append(&path, directory, strlen(directory));
    append(&path, "/", 1);
    append(&path, name, strlen(name));
    return path;
}

static uint32_t rotated(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

/* SHA-256 (FIPS 180-4) in hexadecimal. Its constants, the first 32 bits of the fractions
 * of square and cube roots of the first primes, are computed by bisection. */
static void sha256(const Bytes *content, char hash[65]) {
    uint32_t constants[64], h[8], prime = 1;
    for (int i = 0; i < 64; i++) {
        double square = 1, cube = 1;
        for (bool is_prime = false; !is_prime;) {
            is_prime = true;
            prime++;
            for (uint32_t d = 2; d * d <= prime; d++) is_prime = is_prime && prime % d;
        }
        for (double step = 16; step > 1e-17; step /= 2) {
            if ((square + step) * (square + step) <= prime) square += step;
            if ((cube + step) * (cube + step) * (cube + step) <= prime) cube += step;
        }
        constants[i] = (uint32_t)((cube - (int)cube) * 4294967296.0);
        if (i < 8) h[i] = (uint32_t)((square - (int)square) * 4294967296.0);
    }
    size_t blocks = (content->length + 8) / 64 + 1;
    for (size_t block = 0; block < blocks; block++) {
        unsigned char bytes[64] = {0};
        uint32_t w[64], s[8];
        size_t start = 64 * block, left = content->length > start ? content->length - start : 0;
        if (left) memcpy(bytes, content->data + start, left < 64 ? left : 64);
        if (left < 64 && content->length >= start) bytes[left] = 0x80;
        for (int i = 0; i < 8 && block + 1 == blocks; i++) {
            bytes[63 - i] = (unsigned char)((uint64_t)content->length * 8 >> 8 * i);
        }
        for (int i = 0; i < 16; i++) {
            const unsigned char *b = bytes + 4 * i;
            w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        }
        for (int i = 16; i < 64; i++) {
            uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[i - 7] +
                   (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
        }
        memcpy(s, h, sizeof s);
        for (int i = 0; i < 64; i++) {
            uint32_t first = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)) +
                             ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
            uint32_t second = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) +
                              ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += first;
            s[0] = first + second;
        }
        for (int i = 0; i < 8; i++) h[i] += s[i];
    }
    for (int i = 0; i < 8; i++) snprintf(hash + 8 * i, 9, "%08x", (unsigned)h[i]);
}

/* Reads a file of the directory and checks it against the manifest. */
static Bytes read_checked(const Translator *translator, const char *name, Bytes *path) {
    char hash[65];
    *path = joined_path(translator->directory, name);
    Bytes content = read_all(path->data);
    const Value *files = need("manifest.json", &translator->manifest, "files", OBJECT);
    const Value *entry = need("manifest.json", files, name, OBJECT);
    sha256(&content, hash);
    if (!same(need("manifest.json", entry, "sha256", STRING)->text, hash, 64)) {
        fail(WRONG_INPUT, "Expected the file that manifest.json names, of %.0f bytes. Received: "
             "%s, %zu bytes, which is damaged or another file",
             need("manifest.json", entry, "bytes", NUMBER)->number, path->data, content.length);
    }
    return content;
}

static Translator open_directory(const char *directory) {
    static const char *const NAMES[] = {"pad_id", "unknown_id", "start_id", "end_id"};
    Translator translator = {.directory = directory};
    Bytes path = joined_path(directory, "manifest.json"), content = read_all(path.data);
    Value *manifest = &translator.manifest;
    *manifest = read_json(path.data, content.data, content.length);
    check_format(path.data, manifest, "keras-bahdanau-litert");
    translator.max_length = need_integer(path.data, manifest, "max_length");
    translator.max_target_length = need_integer(path.data, manifest, "max_target_length");
    const Value *bound = need(path.data, manifest, "length_bound", OBJECT);
    translator.factor = need_integer(path.data, bound, "factor");
    translator.offset = need_integer(path.data, bound, "offset");
    const Value *special = need(path.data, manifest, "special_ids", OBJECT);
    for (int i = 0; i < 4; i++) {
        translator.special_ids[i] = need_integer(path.data, special, NAMES[i]);
    }
    translator.end_id = translator.special_ids[3];
    int32_t vocabulary_size = need_integer(path.data, manifest, "vocabulary_size");
    free(content.data);
    free(path.data);
    content = read_checked(&translator, "tokenizer.json", &path);
    translator.tokenizer = read_tokenizer(path.data, &content);
    if (translator.tokenizer.count != (size_t)vocabulary_size) {
        fail(WRONG_INPUT, "Expected %d pieces. Received: %s with %zu", (int)vocabulary_size,
             path.data, translator.tokenizer.count);
    }
    free(content.data);
    free(path.data);
    return translator;
}

typedef struct {
    int32_t *items;
    size_t count;
} Ids;

/* Ids of a text's pieces and the end token: input of the signatures. */
static Ids source_ids(const Translator *translator, const char *text, size_t length) {
    Segments segments = segment(&translator->tokenizer, text, length);
    Ids ids = {resized(NULL, segments.count + 1, sizeof *ids.items), segments.count + 1};
    for (size_t i = 0; i < segments.count; i++) ids.items[i] = segments.items[i].id;
    ids.items[segments.count] = translator->end_id;
    free_segments(&segments);
    return ids;
}

static Bytes text_of(const Translator *translator, Ids ids) {
    Ids kept = {resized(NULL, ids.count + 1, sizeof *ids.items), 0};
    for (size_t i = 0; i < ids.count; i++) {
        bool is_special = false;
        for (int k = 0; k < 4; k++) is_special |= ids.items[i] == translator->special_ids[k];
        if (!is_special) kept.items[kept.count++] = ids.items[i];
    }
    Bytes text = decode(&translator->tokenizer, kept.items, kept.count);
    free(kept.items);
    return text;
}

#ifndef TOKENIZER_ONLY

/* ---- LiteRT's C API ----
 *
 * Declared here as libLiteRt of LiteRT 2.3 has it (litert/c in
 * https://github.com/google-ai-edge/LiteRT), because its packages come without headers. */

typedef struct LiteRtEnvironmentT *LiteRtEnvironment;
typedef struct LiteRtModelT *LiteRtModel;
typedef struct LiteRtOptionsT *LiteRtOptions;
typedef struct LiteRtCompiledModelT *LiteRtCompiledModel;
typedef struct LiteRtSignatureT *LiteRtSignature;
typedef struct LiteRtTensorT *LiteRtTensor;
typedef struct LiteRtTensorBufferT *LiteRtTensorBuffer;
typedef struct LiteRtTensorBufferRequirementsT *LiteRtTensorBufferRequirements;
/* Opaque here: an element type and a layout, in 72 or 76 bytes. */
typedef struct {
    int32_t element_type, layout[31];
} LiteRtRankedTensorType;
/* An option of the environment, with an integer as its value. */
typedef struct {
    int32_t tag;
    struct {
        int32_t type;
        int64_t number;
    } value;
} LiteRtEnvOption;
enum { CPU = 1, ERRORS = 3, INTEGER = 2, READ = 0, WRITE = 1, MOST_TENSORS = 8 };
enum { ACCELERATORS = 24, LEAST_LOG_SEVERITY = 25 }; /* Tags of options. */

int LiteRtCreateEnvironment(int, const LiteRtEnvOption *, LiteRtEnvironment *);
void LiteRtDestroyEnvironment(LiteRtEnvironment);
int LiteRtCreateModelFromFile(LiteRtEnvironment, const char *, LiteRtModel *);
void LiteRtDestroyModel(LiteRtModel);
int LiteRtCreateOptions(LiteRtOptions *);
int LiteRtSetOptionsHardwareAccelerators(LiteRtOptions, int);
void LiteRtDestroyOptions(LiteRtOptions);
int LiteRtCreateCompiledModel(LiteRtEnvironment, LiteRtModel, LiteRtOptions,
                              LiteRtCompiledModel *);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel);
int LiteRtGetNumModelSignatures(LiteRtModel, size_t *);
int LiteRtGetModelSignature(LiteRtModel, size_t, LiteRtSignature *);
int LiteRtGetSignatureKey(LiteRtSignature, const char **);
int LiteRtGetNumSignatureInputs(LiteRtSignature, size_t *);
int LiteRtGetNumSignatureOutputs(LiteRtSignature, size_t *);
int LiteRtGetSignatureInputName(LiteRtSignature, size_t, const char **);
int LiteRtGetSignatureOutputName(LiteRtSignature, size_t, const char **);
int LiteRtGetSignatureInputTensorByIndex(LiteRtSignature, size_t, LiteRtTensor *);
int LiteRtGetSignatureOutputTensorByIndex(LiteRtSignature, size_t, LiteRtTensor *);
int LiteRtGetRankedTensorType(LiteRtTensor, LiteRtRankedTensorType *);
int LiteRtGetCompiledModelInputBufferRequirements(LiteRtCompiledModel, size_t, size_t,
                                                  LiteRtTensorBufferRequirements *);
int LiteRtGetCompiledModelOutputBufferRequirements(LiteRtCompiledModel, size_t, size_t,
                                                   LiteRtTensorBufferRequirements *);
int LiteRtCreateManagedTensorBufferFromRequirements(LiteRtEnvironment,
                                                    const LiteRtRankedTensorType *,
                                                    LiteRtTensorBufferRequirements,
                                                    LiteRtTensorBuffer *);
int LiteRtGetTensorBufferPackedSize(LiteRtTensorBuffer, size_t *);
int LiteRtLockTensorBuffer(LiteRtTensorBuffer, void **, int);
int LiteRtUnlockTensorBuffer(LiteRtTensorBuffer);
void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer);
int LiteRtRunCompiledModel(LiteRtCompiledModel, size_t, size_t, LiteRtTensorBuffer *, size_t,
                           LiteRtTensorBuffer *);

typedef struct {
    size_t index, counts[2];
    LiteRtTensorBuffer buffers[2][MOST_TENSORS]; /* Inputs, outputs. */
    const char *names[2][MOST_TENSORS];
} Signature;

typedef struct Engine {
    LiteRtEnvironment environment;
    LiteRtModel model;
    LiteRtOptions options;
    LiteRtCompiledModel compiled;
    Signature greedy, beam;
} Engine;

static void must(int status, const char *what) {
    if (status) fail(FAILED, "Expected LiteRT to %s. Received: its status %d", what, status);
}

static void make_buffer(Engine *engine, Signature *made, LiteRtSignature signature, int is_output,
                        size_t i) {
    LiteRtTensor tensor;
    LiteRtRankedTensorType type = {0};
    LiteRtTensorBufferRequirements requirements;
    must((is_output ? LiteRtGetSignatureOutputName : LiteRtGetSignatureInputName)(
             signature, i, &made->names[is_output][i]), "name a tensor");
    must((is_output ? LiteRtGetSignatureOutputTensorByIndex : LiteRtGetSignatureInputTensorByIndex)(
             signature, i, &tensor), "find a tensor");
    must(LiteRtGetRankedTensorType(tensor, &type), "say the type of a tensor");
    must((is_output ? LiteRtGetCompiledModelOutputBufferRequirements
                    : LiteRtGetCompiledModelInputBufferRequirements)(
             engine->compiled, made->index, i, &requirements), "say what a tensor requires");
    must(LiteRtCreateManagedTensorBufferFromRequirements(engine->environment, &type, requirements,
                                                         &made->buffers[is_output][i]),
         "make room for a tensor");
}

static Signature open_signature(Engine *engine, const char *path, const char *name) {
    Signature made = {0};
    LiteRtSignature signature;
    size_t count;
    const char *key = "";
    must(LiteRtGetNumModelSignatures(engine->model, &count), "count signatures");
    for (made.index = 0; made.index < count; made.index++) {
        must(LiteRtGetModelSignature(engine->model, made.index, &signature), "find a signature");
        must(LiteRtGetSignatureKey(signature, &key), "name a signature");
        if (!strcmp(key, name)) break;
    }
    if (made.index == count) {
        fail(WRONG_INPUT, "Expected a signature %s. Received: %s without it", name, path);
    }
    must(LiteRtGetNumSignatureInputs(signature, &made.counts[0]), "count inputs");
    must(LiteRtGetNumSignatureOutputs(signature, &made.counts[1]), "count outputs");
    for (int is_output = 0; is_output < 2; is_output++) {
        if (made.counts[is_output] > MOST_TENSORS) {
            fail(WRONG_INPUT, "Expected %d tensors at most. Received: %s, signature %s with %zu",
                 MOST_TENSORS, path, name, made.counts[is_output]);
        }
        for (size_t i = 0; i < made.counts[is_output]; i++) {
            make_buffer(engine, &made, signature, is_output, i);
        }
    }
    return made;
}

static void close_signature(Signature *signature) {
    for (int is_output = 0; is_output < 2; is_output++) {
        for (size_t i = 0; i < signature->counts[is_output]; i++) {
            LiteRtDestroyTensorBuffer(signature->buffers[is_output][i]);
        }
    }
}

static Engine open_engine(const Translator *translator) {
    Engine engine = {0};
    Bytes path, content = read_checked(translator, "translator.tflite", &path);
    free(content.data);
    /* Otherwise it looks for a GPU and logs that to standard error. */
    const LiteRtEnvOption quiet[] = {{ACCELERATORS, {INTEGER, CPU}},
                                     {LEAST_LOG_SEVERITY, {INTEGER, ERRORS}}};
    must(LiteRtCreateEnvironment(2, quiet, &engine.environment), "start");
    int status = LiteRtCreateModelFromFile(engine.environment, path.data, &engine.model);
    if (status) {
        fail(WRONG_INPUT, "Expected a LiteRT file. Received: %s, LiteRT's status %d", path.data,
             status);
    }
    must(LiteRtCreateOptions(&engine.options), "make options");
    must(LiteRtSetOptionsHardwareAccelerators(engine.options, CPU), "use the CPU");
    must(LiteRtCreateCompiledModel(engine.environment, engine.model, engine.options,
                                   &engine.compiled), "prepare the model");
    engine.greedy = open_signature(&engine, path.data, "translate");
    engine.beam = open_signature(&engine, path.data, "translate_beam");
    free(path.data);
    return engine;
}

static void close_engine(Engine *engine) {
    close_signature(&engine->greedy);
    close_signature(&engine->beam);
    LiteRtDestroyCompiledModel(engine->compiled);
    LiteRtDestroyOptions(engine->options);
    LiteRtDestroyModel(engine->model);
    LiteRtDestroyEnvironment(engine->environment);
}

/* Writes or reads the int32 numbers of a tensor, which must have exactly `count`. */
static void copy(Signature *signature, int is_output, const char *name, int32_t *numbers,
                 size_t count) {
    size_t i = 0, size;
    void *memory;
    while (i < signature->counts[is_output] && strcmp(signature->names[is_output][i], name)) i++;
    if (i == signature->counts[is_output]) {
        fail(WRONG_INPUT, "Expected a tensor %s. Received: translator.tflite without it", name);
    }
    LiteRtTensorBuffer buffer = signature->buffers[is_output][i];
    must(LiteRtGetTensorBufferPackedSize(buffer, &size), "measure a tensor");
    if (size != count * sizeof *numbers) {
        fail(WRONG_INPUT, "Expected %zu numbers, as manifest.json says. Received: "
             "translator.tflite, tensor %s of %zu bytes", count, name, size);
    }
    must(LiteRtLockTensorBuffer(buffer, &memory, is_output ? READ : WRITE), "lock a tensor");
    if (is_output) memcpy(numbers, memory, size);
    else memcpy(memory, numbers, size);
    must(LiteRtUnlockTensorBuffer(buffer), "unlock a tensor");
}

/* Ids of the translation of source ids, the end token included where it was generated. */
static Ids search(const Translator *translator, Ids source, bool is_greedy) {
    Engine *engine = translator->engine;
    Signature *signature = is_greedy ? &engine->greedy : &engine->beam;
    size_t size = (size_t)translator->max_length, most = (size_t)translator->max_target_length;
    int32_t *padded = resized(NULL, size, sizeof *padded), length = (int32_t)source.count, count;
    int64_t bound = (int64_t)translator->factor * length + translator->offset;
    int32_t limit = bound < (int64_t)most ? (int32_t)bound : (int32_t)most;
    for (size_t i = 0; i < size; i++) {
        padded[i] = i < source.count ? source.items[i] : translator->special_ids[0];
    }
    copy(signature, 0, "source_ids", padded, size);
    copy(signature, 0, "source_length", &length, 1);
    copy(signature, 0, "max_length", &limit, 1);
    free(padded);
    must(LiteRtRunCompiledModel(engine->compiled, signature->index, signature->counts[0],
                                signature->buffers[0], signature->counts[1],
                                signature->buffers[1]), "run the model");
    Ids found = {resized(NULL, most, sizeof *found.items), 0};
    copy(signature, 1, "token_ids", found.items, most);
    copy(signature, 1, "length", &count, 1);
    if (count < 0 || (size_t)count > most) {
        fail(FAILED, "Expected %zu tokens at most. Received: %d of the model", most, (int)count);
    }
    found.count = (size_t)count;
    return found;
}

/* ---- Long texts: split at sentence ends, else at spaces, else within words ---- */

typedef struct {
    Bytes *items;
    size_t count;
} Parts;

static size_t measure(const Translator *translator, const char *text, size_t length) {
    Ids ids = source_ids(translator, text, length);
    free(ids.items);
    return ids.count;
}

static bool is_space(uint32_t code) {
    return (code >= 9 && code <= 13) || (code >= 28 && code <= 32) || code == 0x85 ||
           code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

static size_t step(const char *text, size_t left, uint32_t *code) {
    size_t length = character(text, left, code);
    if (!length) *code = 0xFFFD;
    return length ? length : 1;
}

/* Length in bytes of the leading run of spaces, or of other characters. */
static size_t run(const char *text, size_t length, bool of_spaces) {
    size_t at = 0;
    uint32_t code;
    while (at < length) {
        size_t size = step(text + at, length - at, &code);
        if (is_space(code) != of_spaces) break;
        at += size;
    }
    return at;
}

static void add_halves(const Translator *translator, Parts *parts, const char *text,
                       size_t length) {
    size_t characters = 0, middle = 0, at;
    uint32_t code;
    for (at = 0; at < length; characters++) at += step(text + at, length - at, &code);
    bool fits = measure(translator, text, length) <= (size_t)translator->max_length;
    if (characters < 2 || fits) {
        if (!length) return;
        parts->items = resized(parts->items, parts->count + 1, sizeof *parts->items);
        parts->items[parts->count] = (Bytes){0};
        append(&parts->items[parts->count++], text, length);
        return;
    }
    for (size_t i = 0; i < characters / 2; i++) {
        middle += step(text + middle, length - middle, &code);
    }
    add_halves(translator, parts, text, middle);
    add_halves(translator, parts, text + middle, length - middle);
}

static void add_unit(const Translator *translator, Parts *parts, const char *text, size_t length) {
    if (parts->count) {
        Bytes *last = &parts->items[parts->count - 1];
        size_t before = last->length;
        append(last, " ", 1);
        append(last, text, length);
        if (measure(translator, last->data, last->length) <= (size_t)translator->max_length) return;
        last->length = before;
        last->data[before] = '\0';
    }
    add_halves(translator, parts, text, length);
}

static void add_sentence(const Translator *translator, Parts *parts, const char *text,
                         size_t length) {
    if (measure(translator, text, length) <= (size_t)translator->max_length) {
        add_unit(translator, parts, text, length);
        return;
    }
    for (size_t at = run(text, length, true); at < length;) {
        size_t size = run(text + at, length - at, false);
        add_unit(translator, parts, text + at, size);
        at += size;
        at += run(text + at, length - at, true);
    }
}

static Parts split(const Translator *translator, const char *text, size_t length) {
    Parts parts = {0};
    size_t start = run(text, length, true), at = start;
    uint32_t code;
    while (at < length) {
        at += step(text + at, length - at, &code);
        size_t spaces = run(text + at, length - at, true);
        bool ends_wide = code == 0x3002 || code == 0xFF01 || code == 0xFF1F;
        bool ends = code == '.' || code == '!' || code == '?' || code == 0x2026;
        if (at + spaces == length || ends_wide || (ends && spaces)) {
            add_sentence(translator, &parts, text + start, at - start);
            at += at + spaces == length || ends ? spaces : 0;
            start = at;
        }
    }
    return parts;
}

static Bytes translate(const Translator *translator, const char *text, size_t length,
                       bool is_greedy) {
    Bytes result = {0};
    append(&result, "", 0);
    if (run(text, length, true) == length || measure(translator, text, length) == 1) return result;
    Parts parts = {0};
    if (measure(translator, text, length) > (size_t)translator->max_length) {
        parts = split(translator, text, length);
    } else {
        parts.items = resized(NULL, 1, sizeof *parts.items);
        parts.items[parts.count++] = (Bytes){0};
        append(&parts.items[0], text, length);
    }
    for (size_t i = 0; i < parts.count; i++) {
        Ids source = source_ids(translator, parts.items[i].data, parts.items[i].length);
        if (source.count > (size_t)translator->max_length) {
            fail(FAILED, "Expected characters of %d pieces at most", (int)translator->max_length);
        }
        Ids found = search(translator, source, is_greedy);
        Bytes part = text_of(translator, found);
        if (result.length && part.length) append(&result, " ", 1);
        append(&result, part.data, part.length);
        free(part.data);
        free(found.items);
        free(source.items);
        free(parts.items[i].data);
    }
    free(parts.items);
    return result;
}
#endif

/* ---- Checks against golden.jsonl and tokenizer_vectors.jsonl ---- */

typedef struct {
    const char *path;
    size_t line;
    Value value;
} Line;

static _Noreturn void fail_line(const Line *line, const char *what) {
    fail(FAILED, "%s, line %zu: another \"%s\" than expected", line->path, line->line, what);
}

static void expect_text(const Line *line, const Value *object, const char *key, Bytes found) {
    if (!same(need(line->path, object, key, STRING)->text, found.data, found.length)) {
        fail_line(line, key);
    }
}

static void expect_ids(const Line *line, const Value *object, const char *key, Ids found) {
    const Value *expected = need(line->path, object, key, ARRAY);
    bool equal = expected->count == found.count;
    for (size_t i = 0; equal && i < found.count; i++) {
        equal = expected->items[i].number == found.items[i];
    }
    if (!equal) fail_line(line, key);
}

static Ids ids_of(const Line *line, const Value *object, const char *key) {
    const Value *items = need(line->path, object, key, ARRAY);
    Ids ids = {resized(NULL, items->count + 1, sizeof *ids.items), items->count};
    for (size_t i = 0; i < items->count; i++) {
        double number = items->items[i].number;
        ids.items[i] = number >= 0 && number < 1 << 24 ? (int32_t)number : -1;
    }
    return ids;
}

static void check_vector(const Translator *translator, const Line *line) {
    const Bytes *text = &need(line->path, &line->value, "text", STRING)->text;
    const Value *pieces = need(line->path, &line->value, "pieces", ARRAY);
    Ids ids = source_ids(translator, text->data, text->length);
    Segments segments = segment(&translator->tokenizer, text->data, text->length);
    Bytes decoded = decode(&translator->tokenizer, ids.items, segments.count);
    expect_text(line, &line->value, "normalized", segments.normalized);
    expect_ids(line, &line->value, "ids", (Ids){ids.items, segments.count});
    for (size_t i = 0; i < segments.count; i++) {
        const char *piece = segments.normalized.data + segments.items[i].start;
        if (pieces->count != segments.count ||
            !same(pieces->items[i].text, piece, segments.items[i].length)) {
            fail_line(line, "pieces");
        }
    }
    expect_text(line, &line->value, "decoded", decoded);
    free(ids.items);
    free(decoded.data);
    free_segments(&segments);
}

static void check_golden(const Translator *translator, const Line *line) {
    static const char *const NAMES[] = {"beam", "greedy"};
    const Bytes *text = &need(line->path, &line->value, "text", STRING)->text;
    Ids source = source_ids(translator, text->data, text->length);
    expect_ids(line, &line->value, "source_ids", source);
    for (int i = 0; i < 2; i++) {
        const Value *expected = need(line->path, &line->value, NAMES[i], OBJECT);
        Ids token_ids = ids_of(line, expected, "token_ids");
        Bytes translation = text_of(translator, token_ids);
        expect_text(line, expected, "translation", translation);
        free(token_ids.items);
        free(translation.data);
#ifndef TOKENIZER_ONLY
        Ids found = search(translator, source, i == 1);
        expect_ids(line, expected, "token_ids", found);
        free(found.items);
#endif
    }
    free(source.items);
}

static void check(const Translator *translator, const char *path) {
    Bytes content = read_all(path);
    Line line = {.path = path};
    for (const char *at = content.data, *end = at + content.length; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        line.value = read_json(path, at, (size_t)(stop - at));
        line.line++;
        if (find(&line.value, "source_ids")) check_golden(translator, &line);
        else check_vector(translator, &line);
        free_value(&line.value);
        at = stop + 1;
    }
    printf("%s: %zu lines agree\n", path, line.line);
    free(content.data);
}

/* ---- The program ---- */

static bool read_line(Bytes *line) {
    int byte;
    line->length = 0;
    append(line, "", 0);
    while ((byte = getchar()) != EOF && byte != '\n') append(line, (char[]){(char)byte}, 1);
    return byte != EOF || line->length;
}

static void print_pieces(const Translator *translator, const Bytes *line) {
    Segments found = segment(&translator->tokenizer, line->data, line->length);
    for (size_t i = 0; i < found.count; i++) {
        if (i) putchar(' ');
        fwrite(found.normalized.data + found.items[i].start, 1, found.items[i].length, stdout);
        printf("=%d", (int)found.items[i].id);
    }
    free_segments(&found);
}

int main(int count, char **arguments) {
    const char *directory = NULL, *checked = NULL;
    bool tokenizes = false, is_greedy = false;
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--greedy")) is_greedy = true;
        else if (!strcmp(arguments[i], "--tokenize")) tokenizes = true;
        else if (!strcmp(arguments[i], "--check") && i + 1 < count) checked = arguments[++i];
        else if (!directory && arguments[i][0] != '-') directory = arguments[i];
        else fail(WRONG_INPUT, "Expected %s\nReceived: %s", USAGE, arguments[i]);
    }
    if (!directory) fail(WRONG_INPUT, "Expected %s\nReceived: no directory", USAGE);
    Translator translator = open_directory(directory);
#ifdef TOKENIZER_ONLY
    if (!tokenizes && !checked) {
        fail(WRONG_INPUT, "Expected --tokenize or --check. Received: neither, and this program "
             "was built without LiteRT");
    }
#else
    Engine engine = {0};
    if (!tokenizes) engine = open_engine(&translator);
    translator.engine = &engine;
#endif
    if (checked) check(&translator, checked);
    for (Bytes line = {0}; !checked; fflush(stdout)) {
        if (!read_line(&line)) {
            free(line.data);
            break;
        }
        if (tokenizes) print_pieces(&translator, &line);
#ifndef TOKENIZER_ONLY
        else {
            Bytes translation = translate(&translator, line.data, line.length, is_greedy);
            fwrite(translation.data, 1, translation.length, stdout);
            free(translation.data);
        }
#endif
        putchar('\n');
    }
#ifdef TOKENIZER_ONLY
    (void)is_greedy;
#else
    if (!tokenizes) close_engine(&engine);
#endif
    free_value(&translator.manifest);
    free_tokenizer(&translator.tokenizer);
    return ferror(stdin) || fflush(stdout) ? FAILED : 0;
}
