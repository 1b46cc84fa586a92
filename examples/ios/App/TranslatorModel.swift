import Combine
import Foundation
import TranslatorCore

/// View model of the screen.
final class TranslatorModel: ObservableObject {
    @Published private(set) var isReady = false
    @Published private(set) var translation = ""
    @Published private(set) var source: [Word] = []

    /// All work with the model happens on this one queue.
    private let worker = DispatchQueue(label: "translator", qos: .userInitiated)
    private var translator: Translator?

    init() {
        worker.async { self.load() }
    }

    func translate(_ text: String) {
        isReady = false
        translation = ""
        source = []
        worker.async {
            do {
                try self.translator?.stream(text) { step in
                    self.show {
                        $0.translation = step.text
                        $0.source = step.source
                    }
                    return true
                }
            } catch {
                self.show { $0.translation = error.localizedDescription }
            }
            self.show { $0.isReady = true }
        }
    }

    private func load() {
        do {
            translator = try LiteRtSignatures.bundledTranslator()
            show { $0.isReady = true }
        } catch {
            show { $0.translation = error.localizedDescription }
        }
    }

    /// The UI is updated on the main queue only.
    private func show(_ change: @escaping (TranslatorModel) -> Void) {
        DispatchQueue.main.async { change(self) }
    }
}
