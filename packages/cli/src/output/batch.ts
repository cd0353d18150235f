import type { Screen } from "./screen.js";

/** Characters that are gathered before they are written. */
const BATCH_CHARS = 1 << 16;

/** Gathers short pieces of text, so that a long output takes few system calls and never is one string. */
export class Batch {
  readonly #screen: Screen;
  #text = "";

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= BATCH_CHARS) this.flush();
  }

  /** Writes what has been gathered. */
  flush(): void {
    this.#screen.write(this.#text);
    this.#text = "";
  }
}
