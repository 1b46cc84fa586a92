import CryptoKit
import Foundation

/// An exported file is missing, damaged, or newer than this program.
public struct ExportedFileError: LocalizedError {
    public let errorDescription: String?

    init(_ description: String) {
        errorDescription = description
    }
}

/// The files of one exported directory, each checked against the manifest when it is read.
public struct ExportedFiles {
    public let manifest: Manifest
    private let read: (String) throws -> Data

    /// - Parameter read: returns the content of the file of a name, for example from the bundle.
    public init(read: @escaping (String) throws -> Data) throws {
        self.read = read
        manifest = try Manifest(json: Self.content(of: Manifest.fileName, read: read))
    }

    /// - Parameter directory: a folder with the exported files.
    public init(directory: URL) throws {
        try self.init { try Data(contentsOf: directory.appendingPathComponent($0)) }
    }

    public func model() throws -> Data {
        try checked("translator.tflite")
    }

    public func tokenizer() throws -> Tokenizer {
        try Tokenizer(json: checked("tokenizer.json"))
    }

    private func checked(_ name: String) throws -> Data {
        let content = try Self.content(of: name, read: read)
        guard let expected = manifest.files[name] else {
            throw ExportedFileError("Expected a manifest that names \(name). Received: none")
        }
        let digest = SHA256.hash(data: content).map { String(format: "%02x", $0) }.joined()
        guard digest == expected.sha256 else {
            throw ExportedFileError(
                "Expected the \(name) that \(Manifest.fileName) names, of \(expected.bytes) bytes. "
                    + "Received: \(content.count) bytes, damaged or of another export"
            )
        }
        return content
    }

    private static func content(
        of name: String, read: (String) throws -> Data
    ) throws -> Data {
        do {
            return try read(name)
        } catch {
            throw ExportedFileError(
                "Expected an exported directory with translator.tflite, tokenizer.json and "
                    + "\(Manifest.fileName). Received: \(name), which cannot be read (\(error))"
            )
        }
    }
}

/// Header of every exported JSON file.
struct FileFormat: Decodable {
    let format: String
    let format_version: Int
}

/// Reads a JSON file; throws for another format or a newer version.
func decode<Value: Decodable>(
    _: Value.Type, from json: Data, format: String, version: Int, file: String
) throws -> Value {
    let decoder = JSONDecoder()
    do {
        let received = try decoder.decode(FileFormat.self, from: json)
        guard received.format == format, received.format_version <= version else {
            throw ExportedFileError(
                "Expected format \(format), version \(version) at most. Received: \(file), "
                    + "format \(received.format), version \(received.format_version)"
            )
        }
        return try decoder.decode(Value.self, from: json)
    } catch let error as DecodingError {
        throw ExportedFileError("Expected JSON of \(format). Received: \(file), \(error)")
    }
}
