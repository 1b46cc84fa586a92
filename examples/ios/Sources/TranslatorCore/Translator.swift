/// The values of a tensor, without its shape.
public enum Values {
    case integers([Int32])
    case floats([Float])

    var integers: [Int32] {
        if case .integers(let values) = self { return values }
        return []
    }

    var floats: [Float] {
        if case .floats(let values) = self { return values }
        return []
    }
}

/// Runs one signature of the exported file.
///
/// The translator's only interface to the interpreter, so that it can be tested without one.
public protocol Signatures {
    /// - Parameters:
    ///   - inputs: values of all inputs, by the tensors' names.
    ///   - outputs: the tensors to return, by name.
    /// - Returns: values of `outputs`.
    func run(
        _ name: String, inputs: [String: Values], outputs: [String: Manifest.Tensor]
    ) throws -> [String: Values]
}

/// A call is wrong: what was expected, and what was received.
public struct CallError: Error, CustomStringConvertible {
    public let description: String
}

/// Result of a search. The numbers are those of beam search, nil from greedy search.
public struct Found {
    public let tokenIds: [Int]
    public let logProbability: Float?
    public let score: Float?
}

/// A word of the source and its attention weight, at most 1.
public struct Word {
    public var text: String
    public var attention: Float
}

/// One step of a translation as it is generated.
public struct Step {
    /// The translation up to here.
    public let text: String
    /// The part of the source that is being translated. The weights of its words and of the
    /// end token sum to 1.
    public let source: [Word]
}

/// Translates text with an exported file.
public struct Translator {
    private static let memory: Set = ["memory", "keys"]
    private static let fixedInputs = memory.union(["source_length"])
    private static let stepOutputs: Set = ["logits", "attention_scores"]

    private let manifest: Manifest
    private let tokenizer: Tokenizer
    private let signatures: any Signatures
    private let special: Manifest.SpecialIds

    public init(manifest: Manifest, tokenizer: Tokenizer, signatures: any Signatures) {
        self.manifest = manifest
        self.tokenizer = tokenizer
        self.signatures = signatures
        special = manifest.specialIds
    }

    /// Translates a text by beam search, or by greedy search.
    ///
    /// A text beyond the model's limit is split at sentence ends (else at spaces), translated part
    /// by part and joined. A blank text has a blank translation.
    public func translate(_ text: String, beam: Bool = true) throws -> String {
        try parts(text)
            .map { part in try self.text(search(sourceIds(part), beam: beam).tokenIds) }
            .filter { !$0.isEmpty }
            .joined(separator: " ")
    }

    /// Translates a text by greedy search and calls `onStep` for every step.
    ///
    /// The last step's text is what `translate` returns with `beam: false`.
    ///
    /// - Parameter onStep: called with each step; the translation ends where it returns false.
    public func stream(_ text: String, onStep: (Step) -> Bool) throws {
        var finished = ""
        for part in parts(text) {
            let lead = finished.isEmpty ? "" : finished + " "
            var written = ""
            let isWanted = try streamPart(part) { tokenIds, source in
                written = self.text(tokenIds)
                let all = written.isEmpty ? finished : lead + written
                return onStep(Step(text: all, source: source))
            }
            if !isWanted { return }
            if !written.isEmpty { finished = lead + written }
        }
    }

    /// The text, its parts if it is beyond the limit, or nothing if it is blank.
    public func parts(_ text: String) -> [String] {
        let length = sourceLength(text)
        if length == 1 || text.unicodeScalars.allSatisfy(isSpace) { return [] }
        if length <= manifest.maxLength { return [text] }
        return splitAtSentences(text, limit: manifest.maxLength, measure: sourceLength)
    }

    /// Ids of a text's pieces and the end token: input of the signatures.
    public func sourceIds(_ text: String) -> [Int] {
        tokenizer.encode(text) + [special.end_id]
    }

    func sourceLength(_ text: String) -> Int {
        sourceIds(text).count
    }

    /// Runs `translate` or `translate_beam` on ids with the end token.
    public func search(_ sourceIds: [Int], beam: Bool) throws -> Found {
        var inputs = try source(sourceIds)
        inputs["max_length"] = scalar(manifest.bound(sourceLength: sourceIds.count))
        let found = try run(beam ? "translate_beam" : "translate", inputs)
        let length = Int(found["length"]?.integers.first ?? 0)
        return Found(
            tokenIds: found["token_ids"]?.integers.prefix(length).map(Int.init) ?? [],
            logProbability: found["log_probability"]?.floats.first,
            score: found["score"]?.floats.first
        )
    }

    /// Runs `encode` and `decode_step`; returns false if `onToken` stopped it.
    private func streamPart(
        _ text: String, onToken: (_ tokenIds: [Int], _ source: [Word]) -> Bool
    ) throws -> Bool {
        let pieces = tokenizer.pieces(text)
        let source = try source(pieces.map(\.id) + [special.end_id])
        let encoded = try run("encode", source)
        let fixed = encoded.merging(source) { $1 }.filter { Self.fixedInputs.contains($0.key) }
        var states = encoded.filter { !Self.memory.contains($0.key) }
        var tokenIds: [Int] = []
        for _ in 0..<manifest.bound(sourceLength: pieces.count + 1) {
            var inputs = fixed.merging(states) { $1 }
            inputs["token_id"] = scalar(tokenIds.last ?? special.start_id)
            let outputs = try run("decode_step", inputs)
            states = outputs.filter { !Self.stepOutputs.contains($0.key) }
            tokenIds.append(best(outputs["logits"]?.floats ?? []))
            let attention = outputs["attention_scores"]?.floats ?? []
            if !onToken(tokenIds, words(pieces, attention)) { return false }
            if tokenIds.last == special.end_id { return true }
        }
        return true
    }

    private func words(_ pieces: [Piece], _ attention: [Float]) -> [Word] {
        var words: [Word] = []
        for (piece, weight) in zip(pieces, attention) {
            let spelled = tokenizer.spelled(piece).unicodeScalars
            if words.isEmpty || spelled.first == " " { words.append(Word(text: "", attention: 0)) }
            let bare = spelled.first == " " ? spelled.dropFirst() : spelled[...]
            words[words.count - 1].text += String(bare)
            words[words.count - 1].attention += weight
        }
        return words
    }

    /// Argmax of the logits without suppressed tokens; the first of equal ones.
    private func best(_ logits: [Float]) -> Int {
        var best = special.end_id
        var greatest = -Float.infinity
        for (id, logit) in logits.enumerated() where logit > greatest {
            if special.suppressed.contains(id) { continue }
            (best, greatest) = (id, logit)
        }
        return best
    }

    private func text(_ tokenIds: [Int]) -> String {
        tokenizer.decode(tokenIds.filter { !special.all.contains($0) })
    }

    private func source(_ sourceIds: [Int]) throws -> [String: Values] {
        guard 1...manifest.maxLength ~= sourceIds.count else {
            throw CallError(
                description: "Expected 1 to \(manifest.maxLength) source ids. "
                    + "Received: \(sourceIds.count)"
            )
        }
        let padding = [Int](repeating: special.pad_id, count: manifest.maxLength - sourceIds.count)
        return [
            "source_ids": .integers((sourceIds + padding).map(Int32.init)),
            "source_length": scalar(sourceIds.count),
        ]
    }

    private func run(_ name: String, _ inputs: [String: Values]) throws -> [String: Values] {
        try signatures.run(name, inputs: inputs, outputs: manifest.outputs(of: name))
    }

    private func scalar(_ number: Int) -> Values {
        .integers([Int32(number)])
    }
}
