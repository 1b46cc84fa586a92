// swift-tools-version: 5.9
import PackageDescription

// Everything but interpreter and UI, so that `swift test` runs on any Mac.
let package = Package(
    name: "TranslatorCore",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "TranslatorCore", targets: ["TranslatorCore"])],
    targets: [
        .target(name: "TranslatorCore"),
        .testTarget(name: "TranslatorCoreTests", dependencies: ["TranslatorCore"]),
    ]
)
