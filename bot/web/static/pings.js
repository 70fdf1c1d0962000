// Pings that ask the agent to act, shown over whatever they are doing, until answered or put aside.

import { bodyOf } from "./body.js";
import { Choices } from "./choices.js";
import { h, icon, iconButton } from "./dom.js";
import { t } from "./words.js";

const MOST = 3;

export class Pings {
  #shown = new Map();

  /** `open(message)` gives what opens the ticket of a ping, or null. */
  constructor(open) {
    this.open = open;
    this.node = h("section", { class: "pings", "aria-label": t("page.pings") });
  }

  /** A ping that came, or changed; one that asks nothing any more goes away. Only a `fresh` one appears. */
  put(message, fresh = true) {
    const known = this.#shown.get(message.id);
    if (message.deleted || !message.rows.length) return this.drop(message.id);
    if (known) return this.#update(known, message);
    if (fresh) this.#show(message);
  }

  #show(message) {
    const body = h("div", { class: "ping-body" });
    const choices = new Choices(message);
    const head = h(
      "header",
      null,
      icon("bell"),
      h("b", null, t("page.ping")),
      iconButton("close", t("page.ping.later"), () => this.drop(message.id)),
    );
    const node = h("article", { class: "ping", role: "alert", "data-ping": message.id }, head, body, choices.node);
    const made = { node, body, choices };
    this.#shown.set(message.id, made);
    this.#update(made, message);
    this.node.prepend(node);
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

  /** The oldest beyond a few stay on the desk only. */
  #limit() {
    for (const id of [...this.#shown.keys()].slice(0, -MOST)) this.drop(id);
  }

  drop(id) {
    this.#shown.get(id)?.node.remove();
    this.#shown.delete(id);
  }

  clear() {
    for (const id of [...this.#shown.keys()]) this.drop(id);
  }
}
