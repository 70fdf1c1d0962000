// The agent's page: tickets on the left, the chosen ticket or the desk's own conversation beside them.

import { Card } from "./card.js";
import { Conversation } from "./conversation.js";
import { announce, h, icon, iconButton, soon } from "./dom.js";
import { bar, embedded, onWatched, unread, watched } from "./frame.js";
import { asks, Pings } from "./pings.js";
import { Seen } from "./seen.js";
import { Tickets, summaries } from "./tickets.js";
import { t } from "./words.js";

const wide = matchMedia("(min-width: 700px)");

export class Desk {
  #view = null;
  #card = null;
  #chosen = null;
  #told = new Set();

  constructor(app) {
    this.app = app;
    this.direct = app.rooms.find((one) => one.kind === "direct");
    this.spaces = app.rooms.filter((one) => one.kind === "space");
    this.seen = new Seen(app.board);
    this.tickets = new Tickets(this.spaces, (card) => this.#go(`#card-${card}`));
    this.pings = new Pings((message) => this.#opener(message));
    this.refresh = soon(() => this.#refresh());
    this.#build();
    app.board.listen((message, before) => this.#hear(message, before));
    addEventListener("hashchange", () => this.#route());
    wide.addEventListener("change", () => this.#route());
    onWatched(() => this.refresh());
  }

  #build() {
    this.badge = h("span", { class: "badge", hidden: true });
    const words = h(
      "span",
      { class: "desk-words" },
      h("b", null, t("page.desk")),
      h("span", { class: "ticket-quiet" }, t("page.desk.about")),
    );
    this.tab = h(
      "button",
      { type: "button", class: "desk-row", "data-testid": "desk-tab", onclick: () => this.#go("#desk") },
      h("span", { class: "avatar ours", "aria-hidden": "true" }, icon("desk")),
      words,
      this.badge,
    );
    const side = h("nav", { class: "side", "aria-label": t("page.tickets") }, this.tab, this.tickets.node);
    this.pane = h("main", { class: "pane" });
    this.shell = h("div", { class: "desk" }, side, this.pane, this.pings.node);
    this.node = h(
      "div",
      { class: "staff" },
      bar(this.spaces.length === 1 ? this.spaces[0].title : t("page.brand")),
      this.shell,
    );
  }

  started() {
    const missed = this.app.board.select((one) => one.tone === "ping" && asks(one) && one.id > this.seen.desk);
    this.#route();
    if (this.#chosen !== "desk") for (const message of missed.slice(-3)) this.pings.put(message);
    this.refresh();
  }

  murmur(room) {
    if (this.#view?.room === room) this.#view.murmur();
  }

  // Which conversation is open.

  #go(hash) {
    if (location.hash === hash) return this.#route();
    if (wide.matches) {
      history.replaceState(null, "", hash || location.pathname);
      this.#route();
    } else location.hash = hash;
  }

  #route() {
    const id = Number(/^#card-(\d+)$/.exec(location.hash)?.[1] ?? 0);
    const card = this.app.board.get(id);
    if (location.hash === "#desk") this.#show("desk");
    else if (card) this.#show(card.id);
    else if (wide.matches && this.#newest()) this.#show(this.#newest());
    else this.#show(null);
  }

  #newest() {
    return this.#summaries()[0]?.card.id ?? null;
  }

  #show(chosen) {
    this.shell.classList.toggle("open", chosen !== null);
    if (chosen === this.#chosen && this.pane.childElementCount) return;
    this.#view?.destroy();
    [this.#view, this.#card, this.#chosen] = [null, null, chosen];
    if (chosen === "desk") this.#openDesk();
    else if (chosen) this.#openTicket(this.app.board.get(chosen));
    else this.pane.replaceChildren(h(
      "p",
      { class: "nothing" },
      icon("desk"),
      t(this.#newest() ? "page.tickets.choose" : "page.tickets.quiet"),
    ));
    this.refresh();
  }

  #enter(view, title) {
    this.#view = view;
    this.pane.replaceChildren(view.node);
    view.toEnd();
    if (!wide.matches) title.focus();
  }

  #openDesk() {
    const title = h("h2", { class: "card-title", tabIndex: -1 }, t("page.desk"));
    const head = h("header", { class: "card-head" }, h("div", { class: "card-line" }, this.#back(), title));
    const empty = h("p", { class: "thread-empty" }, t("page.desk.empty"));
    this.pings.clear();
    this.#enter(
      new Conversation(this.app, {
        place: "chat", room: this.direct.room, belongs: (message) => this.#onDesk(message), lead: head, empty,
        labels: { log: t("page.desk"), composer: t("page.desk.placeholder") }, open: (message) => this.#opener(message),
      }),
      title,
    );
  }

  #openTicket(card) {
    this.#card = new Card(card, { back: () => this.#go(""), left: () => this.#view.composer.focus() });
    this.#enter(
      new Conversation(this.app, {
        place: "thread", room: card.room, thread: card.id, ticket: card.ticket,
        belongs: (message) => message.thread === card.id,
        lead: this.#card.node,
        empty: h("p", { class: "thread-empty" }, t("page.thread.empty")),
        labels: { log: t("page.thread", { ticket: card.ticket ?? "" }), composer: t("page.note.caption") },
      }),
      this.#card.title,
    );
  }

  #back() {
    return iconButton("back", t("page.back"), () => this.#go(""), { class: "back" });
  }

  /** What opens the ticket a message speaks of, or null. */
  #opener(message) {
    const its = (one) => one.tone === "card" && one.ticket === message.ticket;
    const card = message.ticket ? this.app.board.select(its).at(-1) : null;
    return card ? () => this.#go(`#card-${card.id}`) : null;
  }

  /** What is not in a ticket's thread: pings, answers to commands, the agent's own talk with the desk. */
  #onDesk(message) {
    if (message.room === this.direct?.room) return true;
    return message.tone !== "card" && this.app.board.get(message.thread)?.tone !== "card";
  }

  // What comes in.

  #hear(message, before) {
    if (message.id === this.#chosen) {
      if (message.deleted) this.#show(null);
      else this.#card?.update(message);
    }
    if (message.tone === "card" && !before && !message.deleted) this.#newCard(message);
    if (message.tone === "ping") this.#ping(message, before);
    else if (message.room === this.direct?.room) this.#tell(message, before);
    this.refresh();
  }

  #newCard(message) {
    announce(t("page.tickets.new", { ticket: message.ticket ?? "" }));
    if (this.#chosen === null && wide.matches) this.#go(`#card-${message.id}`);
  }

  #ping(message, before) {
    const inSight = this.#chosen === "desk" && watched();
    this.pings.put(message, !before && !inSight);
  }

  /** The desk says something while its conversation is not open. */
  #tell(message, before) {
    if (before || message.mine || message.deleted || this.#chosen === "desk" || !watched()) return;
    if (this.pings.tell(message)) this.#told.add(message.id);
  }

  /** What the agent has not seen of the desk; a ping that was answered asks for nothing any more. */
  #unseen() {
    const fresh = (one) => !one.mine && one.id > this.seen.desk && !this.#told.has(one.id) && this.#onDesk(one);
    return this.app.board.select((one) => fresh(one) && (one.tone !== "ping" || asks(one))).length;
  }

  #summaries() {
    return summaries(this.app.board.select((one) => one.room !== this.direct?.room), this.seen);
  }

  #refresh() {
    const { board } = this.app;
    if (watched() && this.#chosen === "desk") this.seen.readDesk(board.lastId);
    if (watched() && Number.isInteger(this.#chosen)) this.seen.readThread(this.#chosen, board.lastId);
    const all = this.#summaries();
    this.tickets.update(all, this.#chosen);
    const desk = this.#unseen();
    if (!desk) this.seen.readDesk(board.lastId);
    this.badge.hidden = desk === 0;
    this.badge.replaceChildren(String(desk), h("span", { class: "unseen" }, ` ${t("page.unread")}`));
    if (this.#chosen === "desk") this.tab.setAttribute("aria-current", "true");
    else this.tab.removeAttribute("aria-current");
    unread(desk + all.filter((one) => one.unread).length);
  }
}
