import Foundation
import TranslatorCore

/// Signatures that another process runs, which speaks JSON.
final class BridgedSignatures: Signatures {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()

    init(command: [String]) throws {
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func run(
        _ name: String, inputs: [String: Values], outputs: [String: Manifest.Tensor]
    ) throws -> [String: Values] {
        let request: [String: Any] = ["name": name, "inputs": inputs.mapValues(numbers)]
        input.fileHandleForWriting.write(
            try JSONSerialization.data(withJSONObject: request) + Data("\n".utf8))
        let answer = try JSONSerialization.jsonObject(with: line()) as? [String: [NSNumber]] ?? [:]
        var values: [String: Values] = [:]
        for (tensor, description) in outputs {
            let numbers = answer[tensor] ?? []
            values[tensor] = description.dtype == "int32"
                ? .integers(numbers.map(\.int32Value)) : .floats(numbers.map(\.floatValue))
        }
        return values
    }

    private func numbers(_ values: Values) -> [NSNumber] {
        switch values {
        case .integers(let numbers): return numbers.map { NSNumber(value: $0) }
        case .floats(let numbers): return numbers.map { NSNumber(value: Double($0)) }
        }
    }

    private func line() -> Data {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread = Data(unread[(end + 1)...]) }
                return Data(unread[..<end])
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { fatalError("The server of signatures ended.") }
            unread.append(more)
        }
    }
}

// Arguments: an exported directory, a file with a JSON string on each line, the server's command.
let arguments = Array(CommandLine.arguments.dropFirst())
let files = try ExportedFiles(directory: URL(fileURLWithPath: arguments[0]))
_ = try files.model()
let server = try BridgedSignatures(command: Array(arguments.dropFirst(2)))
let translator = try Translator(
    manifest: files.manifest, tokenizer: files.tokenizer(), signatures: server)
let texts = try Data(contentsOf: URL(fileURLWithPath: arguments[1]))
for line in texts.split(separator: UInt8(ascii: "\n")) {
    let text = try JSONDecoder().decode([String].self, from: Data(line))[0]
    var streamed = ""
    var attention: Float = 0
    try translator.stream(text) { step in
        streamed = step.text
        attention = max(attention, step.source.map(\.attention).reduce(0, +))
        return true
    }
    let answer: [String: Any] = [
        "ids": translator.sourceIds(text),
        "greedy": try translator.translate(text, beam: false),
        "beam": try translator.translate(text),
        "stream": streamed,
        "attention": Double(attention),
    ]
    FileHandle.standardOutput.write(
        try JSONSerialization.data(withJSONObject: answer) + Data("\n".utf8))
}
