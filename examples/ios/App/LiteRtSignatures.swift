import Foundation
import TensorFlowLite
import TranslatorCore

/// The signatures of a model, run by LiteRT. Not thread-safe.
final class LiteRtSignatures: Signatures {
    private let interpreter: Interpreter
    private var runners: [String: SignatureRunner] = [:]

    /// - Parameters:
    ///   - modelPath: of `translator.tflite`.
    ///   - threads: one sentence hardly gains from more than one.
    init(modelPath: String, threads: Int = 1) throws {
        var options = Interpreter.Options()
        options.threadCount = threads
        interpreter = try Interpreter(modelPath: modelPath, options: options)
    }

    /// The translator of the exported directory that the app has as its folder `Model`.
    static func bundledTranslator() throws -> Translator {
        let directory = Bundle.main.bundleURL.appendingPathComponent("Model")
        let files = try ExportedFiles(directory: directory)
        // Read for its check against the manifest; the interpreter maps the file itself.
        _ = try files.model()
        let path = directory.appendingPathComponent("translator.tflite").path
        return try Translator(
            manifest: files.manifest,
            tokenizer: files.tokenizer(),
            signatures: LiteRtSignatures(modelPath: path)
        )
    }

    func run(
        _ name: String, inputs: [String: Values], outputs: [String: Manifest.Tensor]
    ) throws -> [String: Values] {
        let runner = try runners[name] ?? interpreter.signatureRunner(with: name)
        runners[name] = runner
        try runner.invoke(with: inputs.mapValues(data))
        var values: [String: Values] = [:]
        for (output, tensor) in outputs {
            let data = try runner.output(named: output).data
            values[output] = tensor.dtype == "int32"
                ? .integers(array(of: data, count: tensor.size, filledWith: 0))
                : .floats(array(of: data, count: tensor.size, filledWith: 0))
        }
        return values
    }

    private func data(_ values: Values) -> Data {
        switch values {
        case .integers(let numbers): return numbers.withUnsafeBufferPointer { Data(buffer: $0) }
        case .floats(let numbers): return numbers.withUnsafeBufferPointer { Data(buffer: $0) }
        }
    }

    private func array<Number>(of data: Data, count: Int, filledWith zero: Number) -> [Number] {
        var numbers = [Number](repeating: zero, count: count)
        _ = numbers.withUnsafeMutableBytes { data.copyBytes(to: $0) }
        return numbers
    }
}
