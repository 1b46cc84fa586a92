/** Draws a sentence and its translation, with the attention between their words. */

import { mergePieces, wordAttention } from "./words.js";

const SMALLEST = 0.01; // Weights below 1 % are not marked.
const NAMED = 4; // Number of words listed below the lines.

/**
 * Two lines of words. Hovering over a word, or focusing it with Tab and the arrow keys, highlights
 * the words of the other line by their attention.
 */
export class WordLines {
  /** @param {{source: Element, target: Element, says: Element}} elements of the page. */
  constructor({ source, target, says }) {
    this.says = says;
    this.lines = { source: new Line(source), target: new Line(target) };
    this.lines.source.other = this.lines.target;
    this.lines.target.other = this.lines.source;
    for (const element of [source, target]) this.#listen(element);
    this.show([]);
  }

  /**
   * @param {{sourcePieces: string[], pieces: string[], rows: Float32Array[]}[]} parts of a
   *   translation, as far as it is known.
   */
  show(parts) {
    this.parts = parts.map(({ sourcePieces, pieces, rows }) => {
      const [source, target] = [mergePieces(sourcePieces), mergePieces(pieces)];
      return { source, target, weights: wordAttention(rows, source, target) };
    });
    for (const side of ["source", "target"]) {
      this.lines[side].show(this.parts.flatMap((part) => spaced(part[side])));
    }
    this.mark(this.#focused());
  }

  /** Marks the last generated word; not announced by screen readers. */
  markLast() {
    this.mark(this.lines.target.words.at(-1), { isSaid: false });
  }

  /** @param {?Element} word to mark, or null for none. */
  mark(word, { isSaid = true } = {}) {
    this.says.replaceChildren();
    for (const line of Object.values(this.lines)) line.unmark();
    const line = word && this.#lineOf(word);
    if (!line) return;
    word.classList.add("active");
    const weights = this.#weightsOf(line, line.words.indexOf(word));
    const others = line.other.words.map((element, index) => ({ element, weight: weights[index] }));
    const linked = others.filter(({ weight }) => weight >= SMALLEST);
    for (const { element, weight } of linked) {
      element.classList.add("linked");
      element.style.setProperty("--weight", weight.toFixed(3));
    }
    if (isSaid) this.#say(word, line, linked);
  }

  #say(word, line, linked) {
    const verb = line === this.lines.target ? " looked at " : " was looked at by ";
    this.says.replaceChildren(name(word.textContent), linked.length ? verb : `${verb}nothing`);
    linked.sort((one, other) => other.weight - one.weight);
    linked.slice(0, NAMED).forEach(({ element, weight }, rank) => {
      const percent = `\u00a0${Math.round(weight * 100)}\u00a0%`;
      this.says.append(rank ? ", " : "", name(element.textContent), percent);
    });
    if (linked.length > NAMED) this.says.append(", …");
  }

  /** Attention between a word and each word of the other line; 0 for other parts of the text. */
  #weightsOf(line, position) {
    const [from, to] = line === this.lines.target ? ["target", "source"] : ["source", "target"];
    let first = 0;
    return this.parts.flatMap((part) => {
      const index = position - first;
      first += part[from].length;
      return part[to].map((_, other) => {
        const [row, column] = from === "target" ? [index, other] : [other, index];
        return part.weights[row]?.[column] ?? 0;
      });
    });
  }

  #listen(element) {
    element.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse") this.mark(wordAt(event.target) ?? this.#focused());
    });
    element.addEventListener("pointerleave", () => this.mark(this.#focused()));
    element.addEventListener("focusin", (event) => this.mark(wordAt(event.target)));
    element.addEventListener("focusout", () => this.mark(null));
    element.addEventListener("click", (event) => {
      const word = wordAt(event.target);
      if (word) this.#lineOf(word).focus(word);
    });
    element.addEventListener("keydown", (event) => this.#press(event));
  }

  #press(event) {
    const word = wordAt(event.target);
    if (!word || event.altKey || event.ctrlKey || event.metaKey) return;
    const line = this.#lineOf(word);
    const position = line.words.indexOf(word);
    const forward = getComputedStyle(line.element).direction === "rtl" ? -1 : 1;
    const moves = {
      ArrowRight: () => line.focus(line.words[position + forward]),
      ArrowLeft: () => line.focus(line.words[position - forward]),
      ArrowUp: () => line.other.focus(this.#mostAttended(line, position)),
      ArrowDown: () => line.other.focus(this.#mostAttended(line, position)),
      Home: () => line.focus(line.words[0]),
      End: () => line.focus(line.words.at(-1)),
      Escape: () => word.blur(),
    };
    if (!moves[event.key]) return;
    moves[event.key]();
    event.preventDefault();
  }

  #mostAttended(line, position) {
    const weights = this.#weightsOf(line, position);
    return line.other.words[weights.indexOf(Math.max(...weights))];
  }

  #focused() {
    return wordAt(document.activeElement);
  }

  #lineOf(word) {
    return Object.values(this.lines).find(({ words }) => words.includes(word));
  }
}

/** The words of one side (roving tabindex: one of them is in the tab order). */
class Line {
  constructor(element) {
    this.element = element;
    this.words = [];
  }

  /** Updates only what changed, so that the focused word keeps the focus. */
  show(words) {
    words.forEach(({ text, isSpaced }, index) => {
      this.words[index] ??= this.#add();
      const word = this.words[index];
      if (word.textContent !== text) word.textContent = text;
      const space = isSpaced && index ? " " : "";
      if (word.previousSibling.data !== space) word.previousSibling.data = space;
    });
    for (const word of this.words.splice(words.length)) {
      word.previousSibling.remove();
      word.remove();
    }
    const hasStop = this.words.some(({ tabIndex }) => tabIndex === 0);
    if (!hasStop && this.words.length) this.words[0].tabIndex = 0;
  }

  focus(word) {
    if (!word) return;
    for (const each of this.words) each.tabIndex = each === word ? 0 : -1;
    word.focus();
  }

  unmark() {
    for (const word of this.words) {
      word.classList.remove("active", "linked");
      word.style.removeProperty("--weight");
    }
  }

  #add() {
    const word = document.createElement("span");
    word.className = "word";
    word.tabIndex = -1;
    word.setAttribute("role", "button");
    this.element.append(document.createTextNode(""), word);
    return word;
  }
}

/** Each part of a long text starts with a space, whatever its first piece is. */
function spaced([first, ...others]) {
  return first ? [{ ...first, isSpaced: true }, ...others] : [];
}

function wordAt(node) {
  return node instanceof Element ? node.closest(".word") : null;
}

/** A word in `bdi`: its text direction may differ from the page's. */
function name(text) {
  const element = document.createElement("bdi");
  element.textContent = text;
  return element;
}
