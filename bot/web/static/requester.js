// The requester's page: one conversation with the desk, and a welcome while it is empty.

import { Conversation } from "./conversation.js";
import { h, icon } from "./dom.js";
import { bar, onWatched, unread, watched } from "./frame.js";
import { t } from "./words.js";

const EXAMPLES = ["page.welcome.example.1", "page.welcome.example.2", "page.welcome.example.3"];

export class Requester {
  #missed = 0;

  constructor(app) {
    const room = app.rooms.find((one) => one.kind === "direct") ?? app.rooms[0];
    this.conversation = new Conversation(app, {
      place: "chat", room: room.room, belongs: (message) => message.room === room.room, empty: this.#welcome(),
      labels: { log: room.title, composer: t("page.say.placeholder") },
    });
    this.room = room.room;
    this.node = h("main", { class: "requester" }, bar(room.title), this.conversation.node);
    app.board.listen((message, before) => this.#hear(message, before));
    onWatched(() => unread((this.#missed = 0)));
  }

  #welcome() {
    const example = (key) => h(
      "button",
      { type: "button", class: "button", onclick: () => this.conversation.composer.suggest(t(key)) },
      t(key),
    );
    return h(
      "div",
      { class: "welcome", "data-testid": "welcome" },
      h("span", { class: "welcome-mark", "aria-hidden": "true" }, icon("desk")),
      h("h2", null, t("page.welcome.title")),
      h("p", null, t("page.welcome.text")),
      h("p", { class: "quiet" }, t("page.welcome.examples")),
      h("div", { class: "row" }, EXAMPLES.map(example)),
    );
  }

  #hear(message, before) {
    if (before || message.mine || message.deleted || watched()) return;
    unread((this.#missed += 1));
  }

  started() {
    this.conversation.toEnd();
    this.conversation.composer.focus();
  }

  murmur(room) {
    if (room === this.room) this.conversation.murmur();
  }
}
