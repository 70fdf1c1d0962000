// What comes to the agent while they look at something else: pings until they are answered, answers for a moment.

import { bodyOf } from "./body.js";
import { Choices } from "./choices.js";
import { h, iconButton } from "./dom.js";
import { t } from "./words.js";

const MOST = 3;
const MOMENT = 6000;
const SOON = 5000;

/** Whether a ping still waits for somebody; one that somebody is on may have buttons all the same. */
export function asks(message) {
  return message.rows.length > 0 && !message.over;
}

export class Pings {
  #shown = new Map();
  #pressed = 0;

  /** `open(message)` gives what opens the ticket of a ping, or null. */
  constructor(open) {
    this.open = open;
    this.calls = h("section", { class: "pings", "aria-label": t("page.pings") });
    this.told = h("div", { class: "told", role: "status" });
    this.node = h("div", { class: "over" }, this.calls, this.told);
  }

  /** A ping that came, or changed; one that asks nothing any more goes away. Only a `fresh` one appears. */
  put(message, fresh = true) {
    const known = this.#shown.get(message.id);
    if (message.deleted || !asks(message)) return this.drop(message.id);
    if (known) return this.#update(known, message);
    if (fresh) this.#show(message);
  }

  #show(message) {
    const body = h("div", { class: "ping-body" });
    const choices = new Choices(message);
    const node = h(
      "article",
      { class: "ping", role: "alert", "data-ping": message.id },
      h("b", { class: "unseen" }, t("page.ping")),
      body,
      choices.node,
      iconButton("close", t("page.ping.later"), () => this.drop(message.id)),
    );
    choices.node.addEventListener("click", () => (this.#pressed = Date.now()));
    const made = { node, body, choices };
    this.#shown.set(message.id, made);
    this.#update(made, message);
    this.calls.prepend(node);
    this.#limit();
  }

  #update({ body, choices }, message) {
    const open = this.open(message);
    const link = open && h(
      "button",
      { type: "button", class: "link", onclick: () => open() },
      t("page.ticket.open", { ticket: message.ticket }),
    );
    body.replaceChildren(...bodyOf(message.blocks), ...(link ? [link] : []));
    choices.update(message);
  }

  /** Something the desk says meanwhile, for a moment. True if it answers what was pressed here. */
  tell(message) {
    const node = h("div", { "data-told": message.id }, bodyOf(message.blocks));
    this.told.replaceChildren(node);
    setTimeout(() => node.remove(), MOMENT);
    return Date.now() - this.#pressed < SOON;
  }

  /** The oldest beyond a few stay on the desk only. */
  #limit() {
    for (const id of [...this.#shown.keys()].slice(0, -MOST)) this.drop(id);
  }

  drop(id) {
    this.#shown.get(id)?.node.remove();
    this.#shown.delete(id);
  }

  clear() {
    this.told.replaceChildren();
    for (const id of [...this.#shown.keys()]) this.drop(id);
  }
}
