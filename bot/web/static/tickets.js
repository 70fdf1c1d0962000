// The list of tickets beside the desk: newest activity first, unread marks, and a box that narrows it.

import { wordsOf } from "./board.js";
import { markOf } from "./body.js";
import { gist } from "./card.js";
import { h, icon } from "./dom.js";
import { brief, t } from "./words.js";

const NEWS = new Set(["request", "reply", "note", "say", "ping"]);

/** Everything the list needs to know of each ticket; `messages` are all those of the spaces. */
export function summaries(messages, seen) {
  const found = new Map();
  for (const message of messages) {
    if (message.tone !== "card") continue;
    const unread = message.id > seen.thread(message.id) ? 1 : 0;
    found.set(message.id, { card: message, last: message, unread, words: [wordsOf(message)] });
  }
  for (const message of messages) {
    const one = found.get(message.thread);
    if (!one) continue;
    if (message.id > one.last.id) one.last = message;
    one.words.push(wordsOf(message));
    if (!message.mine && NEWS.has(message.tone) && message.id > seen.thread(one.card.id)) one.unread += 1;
  }
  return [...found.values()].sort((one, other) => other.last.id - one.last.id);
}

export class Tickets {
  #rows = new Map();
  #all = [];
  #chosen = null;

  constructor(rooms, choose) {
    this.rooms = rooms;
    this.choose = choose;
    this.search = h(
      "input",
      {
        type: "search", placeholder: t("page.tickets.search"), "aria-label": t("page.tickets.search"),
        oninput: () => this.#draw(),
      },
    );
    this.list = h("ul", { class: "tickets", onkeydown: (event) => this.#key(event) });
    this.none = h("p", { class: "none" });
    this.node = h(
      "div",
      { class: "ticket-list" },
      h("div", { class: "search" }, icon("search"), this.search),
      h("div", { class: "ticket-scroll" }, this.list, this.none),
    );
  }

  update(all, chosen) {
    this.#all = all;
    this.#chosen = chosen;
    this.#draw();
  }

  #draw() {
    const wanted = this.search.value.trim().toLocaleLowerCase();
    const fits = (text) => text.toLocaleLowerCase().includes(wanted);
    const shown = this.#all.filter((one) => !wanted || one.words.some(fits));
    const focus = this.list.contains(document.activeElement) ? document.activeElement : null;
    const nodes = shown.map((one) => this.#row(one));
    const there = this.list.children;
    const moved = nodes.length !== there.length || nodes.some((node, at) => node !== there[at]);
    if (moved) this.list.replaceChildren(...nodes);
    if (focus?.isConnected && document.activeElement !== focus) focus.focus();
    this.none.hidden = shown.length > 0;
    this.none.textContent = t(wanted && this.#all.length ? "page.tickets.nothing_found" : "page.tickets.none");
  }

  /** A row is drawn anew only when what it shows has changed. */
  #row(one) {
    const { card, last, unread } = one;
    const chosen = card.id === this.#chosen;
    const drawn = `${card.seq}/${last.id}/${unread}/${chosen}/${brief(last.at)}`;
    const known = this.#rows.get(card.id) ?? {
      node: h("li"),
      button: h("button", { type: "button", class: "ticket-row", onclick: () => this.choose(card.id) }),
    };
    if (known.drawn === drawn) return known.node;
    this.#rows.set(card.id, { ...known, drawn });
    this.#fill(known.button, one, chosen);
    known.node.append(known.button);
    return known.node;
  }

  #fill(button, { card, last, unread }, chosen) {
    const { mark, title, quiet } = gist(card);
    const [how = "", ...who] = quiet;
    const room = this.rooms.length > 1 ? this.rooms.find((one) => one.room === card.room)?.title : null;
    const where = room && !how.split(" · ").includes(room) ? `${how} · ${room}` : how;
    const badge = unread ? h(
      "span",
      { class: "badge" },
      String(unread),
      h("span", { class: "unseen" }, ` ${t("page.unread")}`),
    ) : null;
    Object.assign(button.dataset, { ticket: card.ticket ?? "", card: card.id });
    button.classList.toggle("unread", unread > 0);
    if (chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    button.replaceChildren(
      h(
        "span",
        { class: "ticket-top" },
        markOf(mark) ?? "",
        h("span", { class: "ticket-title", dir: "auto" }, title),
        h("time", { datetime: last.at }, brief(last.at)),
      ),
      h(
        "span",
        { class: "ticket-low" },
        h(
          "span",
          { class: "ticket-lines" },
          [where, who[0]].filter(Boolean).map((line) => h(
            "span",
            { class: "ticket-quiet", dir: "auto" },
            line,
          )),
        ),
        badge ?? "",
      ),
    );
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...this.list.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
