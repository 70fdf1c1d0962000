// The messages of one conversation: in order, grouped by who speaks, with days, and with what is on its way.

import { typedIn } from "./board.js";
import { bodyOf } from "./body.js";
import { Bubble } from "./bubble.js";
import { h, icon } from "./dom.js";
import { clock, day, t } from "./words.js";

const TYPING = 6000;

export class Log {
  #items = [];
  #byId = new Map();
  #typing = 0;

  constructor({ place, label, empty, on }) {
    this.place = place;
    this.on = on;
    this.list = h("div", { class: "messages" });
    this.waiting = h("div", { class: "messages pending-messages" });
    this.typing = h(
      "p",
      { class: "typing", hidden: true },
      h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
      h("span", { class: "unseen" }, t("page.typing")),
    );
    this.empty = empty;
    this.node = h(
      "div",
      { id: "log", class: "log", role: "log", "aria-label": label, "aria-live": "off" },
      empty,
      this.list,
      this.waiting,
      this.typing,
    );
  }

  /** Shows many at once, silently; screen readers hear what comes afterwards. */
  fill(messages) {
    for (const message of messages) this.#insert(message);
    this.#items.forEach((_item, at) => this.#join(at));
    this.list.replaceChildren(...this.#items.map((item) => item.node));
    this.#blank();
    setTimeout(() => this.node.setAttribute("aria-live", "polite"), 300);
  }

  /** Adds a message or replaces the one shown. */
  put(message) {
    this.hush();
    const known = this.#byId.get(message.id);
    if (known) known.bubble.update(message);
    const at = known ? this.#items.indexOf(known) : this.#insert(message);
    if (!known) this.list.insertBefore(this.#items[at].node, this.#items[at + 1]?.node ?? null);
    this.#join(at);
    this.#join(at + 1);
    this.#blank();
  }

  drop(id) {
    const known = this.#byId.get(id);
    if (!known) return;
    const at = this.#items.indexOf(known);
    this.#items.splice(at, 1);
    this.#byId.delete(id);
    known.node.remove();
    this.#join(at);
    this.#blank();
  }

  #insert(message) {
    const bubble = new Bubble(message, this.place, this.on);
    const item = { id: message.id, bubble, day: null, node: h("div", { class: "item" }, bubble.node) };
    let at = this.#items.length;
    while (at > 0 && this.#items[at - 1].id > message.id) at -= 1;
    this.#items.splice(at, 0, item);
    this.#byId.set(message.id, item);
    return at;
  }

  /** Sets how an item stands to the one before it: a new day, a new voice, or the same going on. */
  #join(at) {
    const item = this.#items[at];
    if (!item) return;
    this.#fold(at);
    let back = at - 1;
    while (back >= 0 && this.#items[back].node.hidden) back -= 1;
    const before = this.#items[back];
    const today = day(item.bubble.message.at);
    const turn = !before || day(before.bubble.message.at) !== today;
    item.bubble.node.classList.toggle("follows", !turn && item.bubble.follows(before.bubble));
    if (turn && item.day?.textContent !== today) {
      item.day?.remove();
      item.day = h("p", { class: "day" }, h("span", null, today));
      item.node.prepend(item.day);
    } else if (!turn) {
      item.day?.remove();
      item.day = null;
    }
  }

  /** A typed command whose outcome follows as a reply or note says nothing more. */
  #fold(at) {
    const { look, message } = this.#items[at].bubble;
    if (this.place !== "thread" || !["reply", "note"].includes(look)) return;
    const words = typedIn(message).trim();
    const theirs = ({ bubble }) => bubble.look === "command" && bubble.message.author.name === message.author.name;
    const command = this.#items.slice(Math.max(0, at - 3), at).findLast(theirs);
    const typed = command && typedIn(command.bubble.message).trim();
    if (words && typed?.startsWith(`/${look} `) && typed.endsWith(words)) command.node.hidden = true;
  }

  #blank() {
    if (this.empty) this.empty.hidden = this.#items.length > 0 || this.waiting.childElementCount > 0;
  }

  /** The letters that are not with the server yet. */
  pend(letters, { again, take }) {
    this.waiting.replaceChildren(...letters.map((letter) => pendingBubble(letter, this.place, again, take)));
    this.#blank();
  }

  /** Somebody is writing. */
  murmur() {
    this.typing.hidden = false;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.hush(), TYPING);
  }

  hush() {
    clearTimeout(this.#typing);
    this.typing.hidden = true;
  }

  /** The newest of one's own messages that may be edited. */
  ownLast() {
    return this.#items.findLast((item) => item.bubble.editable())?.bubble.message ?? null;
  }
}

const STATES = {
  sending: "page.pending.sending", sent: "page.pending.sending", waiting: "page.pending.waiting",
  failed: "page.pending.failed",
};

function pendingBubble(letter, place, again, take) {
  const look = letter.tone === "say" && place === "thread" && !/^\//u.test(letter.text) ? "note" : letter.tone;
  const files = letter.files.map((file) => h("p", { class: "text quiet" }, icon("attach"), h("bdi", null, file.name)));
  const text = letter.shown ? bodyOf([{ kind: "paragraph", style: "normal", text: letter.shown }]) : [];
  const state = h(
    "p",
    { class: "pending-state", role: letter.state === "failed" ? "alert" : null },
    icon(letter.state === "failed" ? "alert" : "clock"),
    letter.error || t(STATES[letter.state]),
  );
  const repair = letter.state === "failed" && h(
    "div",
    { class: "row" },
    h("button", { type: "button", class: "button", onclick: () => again(letter) }, t("page.pending.again")),
    h("button", { type: "button", class: "button", onclick: () => take(letter) }, t("page.pending.take")),
  );
  const head = h("header", { class: "meta" }, h("time", { datetime: letter.at }, clock(letter.at)));
  return h(
    "article",
    {
      class: `message right look-${look} pending ${letter.state}`, "data-pending": letter.key,
      "aria-label": t("page.you"),
    },
    h(
      "div",
      { class: "column" },
      head,
      h("div", { class: "line" }, h("div", { class: "bubble" }, text, files)),
      state,
      repair,
    ),
  );
}
