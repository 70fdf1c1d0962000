// Remembers how far the person has read, per ticket and on the desk, also over reloads.

import { browser } from "./keep.js";

export class Seen {
  /** Everything there on the very first visit counts as read. */
  constructor(board) {
    this.kept = browser.get("seen", null) ?? { base: board.lastId, desk: board.lastId, threads: {} };
    for (const card of Object.keys(this.kept.threads)) if (!board.get(Number(card))) delete this.kept.threads[card];
    this.#keep();
  }

  #keep() {
    browser.set("seen", this.kept);
  }

  get desk() {
    return this.kept.desk;
  }

  thread(card) {
    return Math.max(this.kept.base, this.kept.threads[card] ?? 0);
  }

  readDesk(upTo) {
    if (upTo <= this.kept.desk) return;
    this.kept.desk = upTo;
    this.#keep();
  }

  readThread(card, upTo) {
    if (upTo <= this.thread(card)) return;
    this.kept.threads[card] = upTo;
    this.#keep();
  }
}
