// Everything said in the person's rooms: the newest version of each message, and who hears of changes.

/** The words of a message, as one text. */
export function wordsOf(message) {
  const texts = message.blocks.map((block) => {
    if (block.kind === "facts") return block.rows.map((row) => row.join(" ")).join("\n");
    return block.kind === "attachment" ? block.name : block.text;
  });
  return texts.join("\n");
}

/** Only what its author typed, without files, facts and the desk's remarks. */
export function typedIn(message) {
  const said = (block) => block.kind === "quote" || (block.kind === "paragraph" && block.style !== "quiet");
  const typed = message.blocks.filter(said);
  return typed.map((block) => block.text).join("\n");
}

export class Board {
  #messages = new Map();
  #listeners = new Set();
  ready = false;
  lastId = 0;

  /** Takes a message in; an older or equal version than the one shown changes nothing. */
  take(message) {
    const before = this.#messages.get(message.id);
    if (before && before.seq >= message.seq) return;
    this.#messages.set(message.id, message);
    this.lastId = Math.max(this.lastId, message.id);
    if (this.ready) this.#tell(message, before && !before.deleted ? before : null);
  }

  #tell(message, before) {
    for (const listener of [...this.#listeners]) listener(message, before);
  }

  /** Hears (message, the version shown before or null); returns what stops it. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(id) {
    const message = this.#messages.get(id);
    return message && !message.deleted ? message : null;
  }

  /** The messages that `wanted` says yes to, oldest first. */
  select(wanted) {
    const found = [];
    for (const message of this.#messages.values()) if (!message.deleted && wanted(message)) found.push(message);
    return found.sort((one, other) => one.id - other.id);
  }
}
