import XCTest

@testable import TranslatorCore

final class SplittingTests: XCTestCase {
    private func characters(_ text: String) -> Int {
        text.unicodeScalars.count
    }

    func testLongTextsAreCutAtSentenceEnds() {
        let text = "One two. Three four five! Six? Seven eight nine ten eleven"
        XCTAssertEqual(
            splitAtSentences(text, limit: 5) { $0.split(separator: " ").count },
            ["One two. Three four five!", "Six?", "Seven eight nine ten eleven"]
        )
    }

    func testALongSentenceIsCutAtSpacesAndALongWordInHalves() {
        XCTAssertEqual(
            splitAtSentences("a bb ccc dddddddd", limit: 4, measure: characters),
            ["a bb", "ccc", "dddd", "dddd"]
        )
    }

    func testWideSentenceEndsNeedNoSpace() {
        let text = "\u{4E00}\u{3002}\u{4E8C}\u{FF01}\u{4E09}"
        XCTAssertEqual(
            splitAtSentences(text, limit: 2, measure: characters),
            ["\u{4E00}\u{3002}", "\u{4E8C}\u{FF01}", "\u{4E09}"]
        )
    }

    func testABlankTextHasNoParts() {
        XCTAssertEqual(splitAtSentences(" \n ", limit: 4, measure: characters), [])
    }
}
