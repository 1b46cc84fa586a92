import SwiftUI
import TranslatorCore

/// Text, button, and the streamed translation, with the attended source words highlighted.
struct ContentView: View {
    @StateObject private var model = TranslatorModel()
    @State private var text = ""

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                TextField("Text to translate", text: $text, axis: .vertical)
                    .textFieldStyle(.roundedBorder)
                Button("Translate") { model.translate(text) }
                    .buttonStyle(.borderedProminent)
                    .disabled(!model.isReady)
                Text(attended)
                Text(model.translation)
                    .font(.title2)
                    .textSelection(.enabled)
            }
            .padding()
        }
    }

    private var attended: AttributedString {
        var line = AttributedString()
        for word in model.source {
            var marked = AttributedString(word.text)
            marked.backgroundColor = Color.yellow.opacity(Double(word.attention))
            line += marked + AttributedString(" ")
        }
        return line
    }
}
