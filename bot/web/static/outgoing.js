// What the person said and the server has not shown yet: kept over reloads, sent in order, repeated until answered.

import { typedIn } from "./board.js";
import { tab } from "./keep.js";
import { Refused, newKey, pause, post } from "./wire.js";

const ECHO = 6000;
const BROKEN = 5;

/** What is left of a text after the server made its odd signs harmless, to know one's own words again. */
function visible(text) {
  return text.replace(/[\p{C}\u2400-\u2421\ufffd]/gu, "").replace(/\s+/gu, " ").trim();
}

export class Outgoing {
  #listeners = new Set();
  #running = false;
  #wake = () => {};

  constructor(board) {
    this.board = board;
    this.letters = tab.get("outgoing", []).map((letter) => ({
      ...letter, state: letter.state === "failed" ? "failed" : "sending",
    }));
    addEventListener("online", () => this.#wake());
  }

  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed() {
    tab.set("outgoing", this.letters.length ? this.letters : undefined);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Shows and sends something; `shown` is what stands on the page until the server's copy comes. */
  say({ room, thread, text, files, replyTo, shown, tone }) {
    const letter = {
      key: newKey(), room, thread, text, files, reply_to: replyTo ?? null,
      shown: shown ?? text, tone: tone ?? "say", at: new Date().toISOString(), after: this.board.lastId,
      state: "sending", error: "",
    };
    this.letters.push(letter);
    this.#changed();
    this.pump();
  }

  /** Sends what waits, one after another. */
  async pump() {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let letter = this.#next(); letter; letter = this.#next()) await this.#send(letter);
    } finally {
      this.#running = false;
    }
  }

  #next() {
    return this.letters.find((letter) => letter.state === "sending" || letter.state === "waiting");
  }

  async #send(letter) {
    const { key, room, thread, text, reply_to } = letter;
    const files = letter.files.map((file) => file.id);
    for (let attempt = 0; this.letters.includes(letter); attempt += 1) {
      try {
        await post("say", { key, room, thread, text, files, reply_to });
        return this.#answered(letter);
      } catch (error) {
        const broken = error.status === 500 && attempt >= BROKEN;
        if (broken || error instanceof Refused) return this.#mark(letter, "failed", error.message);
        this.#mark(letter, "waiting");
        await this.#rest(Math.min(10_000, 700 * 2 ** attempt));
      }
    }
  }

  #rest(ms) {
    return Promise.race([pause(ms), new Promise((resolve) => (this.#wake = resolve))]);
  }

  #mark(letter, state, error = "") {
    if (letter.state === state && letter.error === error) return;
    Object.assign(letter, { state, error });
    this.#changed();
  }

  #answered(letter) {
    if (!this.letters.includes(letter)) return;
    this.#mark(letter, "sent");
    setTimeout(() => this.drop(letter), ECHO);
  }

  /** The connection is back: whatever waits for a later attempt goes now. */
  hurry() {
    this.#wake();
  }

  again(letter) {
    this.#mark(letter, "sending");
    this.pump();
  }

  drop(letter) {
    const at = this.letters.indexOf(letter);
    if (at < 0) return;
    this.letters.splice(at, 1);
    this.#changed();
  }

  /** A message came: if it is the server's copy of something waiting here, that is done. */
  settle(message) {
    if (!message.mine || !this.letters.length) return;
    const letter = this.letters.find((one) => this.#same(one, message));
    if (letter) this.drop(letter);
  }

  #same(letter, message) {
    if (message.key) return message.key === letter.key;
    if (letter.room !== message.room || message.id <= letter.after) return false;
    if ((letter.thread ?? null) !== (message.thread ?? null)) return false;
    const typed = visible(typedIn(message));
    return typed === visible(letter.text) || typed === visible(letter.shown);
  }

  of(room, thread) {
    return this.letters.filter((letter) => letter.room === room && (letter.thread ?? null) === (thread ?? null));
  }
}
