// One message in a conversation: who, when, what kind, its words, its marks and its buttons.

import { typedIn } from "./board.js";
import { bodyOf } from "./body.js";
import { Choices } from "./choices.js";
import { h, icon, iconButton } from "./dom.js";
import { clock, given, moment, t } from "./words.js";

const PAUSE = 5 * 60_000;
const HUES = 6;

/** How a message looks here. In a ticket's thread people's plain words are notes, and say so. */
export function lookOf(message, place) {
  if (place !== "thread" || message.tone !== "say" || message.author.desk) {
    return message.mine && message.tone === "say" && command(message) ? "command" : message.tone;
  }
  return command(message) ? "command" : "note";
}

function command(message) {
  return given.person?.staff && /^\/\p{L}/u.test(typedIn(message).trimStart());
}

function sideOf(message, look, place) {
  if (look === "event") return "middle";
  if (place !== "thread") return message.mine ? "right" : "left";
  return look === "reply" || look === "note" || (message.mine && look !== "request") ? "right" : "left";
}

const LABELS = { note: ["lock", "page.mark.note"], reply: ["check", "page.mark.reply"] };

export function avatarOf(author) {
  if (author.desk) return h("span", { class: "avatar ours", "aria-hidden": "true" }, icon("desk"));
  const letters = author.name.split(/\s+/u).slice(0, 2).map((word) => [...word][0] ?? "").join("");
  const hue = [...author.name].reduce((sum, sign) => (sum * 31 + sign.codePointAt(0)) % 9973, 7) % HUES;
  return h("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, letters.toLocaleUpperCase());
}

export class Bubble {
  #open = new Set();
  #drawn = "";

  /** `on`: {edit, reply, ticket, left}, what may be done with it here; each may be absent. */
  constructor(message, place, on) {
    this.place = place;
    this.on = on;
    this.head = h("header", { class: "meta" });
    this.body = h("div", { class: "bubble" });
    this.tools = h("div", { class: "tools" });
    this.choices = new Choices(message, { left: on.left });
    this.column = h(
      "div",
      { class: "column" },
      this.head,
      h("div", { class: "line" }, this.body, this.tools),
      this.choices.node,
    );
    this.node = h("article", { class: "message" }, this.column);
    this.update(message);
  }

  update(message) {
    this.message = message;
    this.look = lookOf(message, this.place);
    this.side = sideOf(message, this.look, this.place);
    this.choices.update(message);
    const { rows: _rows, seq: _seq, ...seen } = message;
    const drawn = JSON.stringify(seen);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#draw();
  }

  #draw() {
    const { message } = this;
    const answered = message.tone === "ping" && (message.over || !message.rows.length);
    const state = `${message.only ? " only" : ""}${answered ? " answered" : ""}`;
    this.node.className = `message ${this.side} look-${this.look}${state}`;
    Object.assign(this.node.dataset, { message: message.id, tone: message.tone });
    this.node.setAttribute("aria-label", this.#spoken());
    this.head.replaceChildren(...this.#headline());
    this.body.replaceChildren(...bodyOf(message.blocks, this.#open), ...this.#marks());
    this.tools.replaceChildren(...this.#offers());
    this.node.querySelector(":scope > .avatar")?.remove();
    if (this.side === "left") this.node.prepend(avatarOf(message.author));
  }

  /** Whom it reaches, where that is a question: among staff. */
  #label() {
    return this.place === "thread" ? LABELS[this.look] : undefined;
  }

  #spoken() {
    const { message } = this;
    const who = message.mine ? t("page.you") : message.author.name;
    const label = this.#label()?.[1];
    return [who, clock(message.at), label && t(label), message.only && t("page.mark.only")].filter(Boolean).join(", ");
  }

  #headline() {
    const { message } = this;
    const label = this.#label();
    const time = h("time", { datetime: message.at, title: moment(message.at) }, clock(message.at));
    const name = message.mine && this.place !== "thread" ? null : h("bdi", { class: "author" }, message.author.name);
    return [name, time, label && h("span", { class: "label" }, icon(label[0]), t(label[1]))].filter(Boolean);
  }

  #marks() {
    const { message, on } = this;
    const ticket = message.ticket && on.ticket?.(message);
    const marks = [
      this.#mended() && h("span", null, t("page.mark.edited")),
      message.only && h("span", null, icon("eye"), t("page.mark.only")),
      message.delivered && h("span", null, icon("check"), message.delivered),
      ticket && h(
        "button",
        { type: "button", class: "link", onclick: ticket },
        t("page.ticket.open", { ticket: message.ticket }),
      ),
    ].filter(Boolean);
    return marks.length ? [h("footer", { class: "marks" }, marks)] : [];
  }

  #offers() {
    const { message, on } = this;
    const offers = [];
    if (on.reply && !message.mine && (this.place !== "thread" || this.look === "request")) {
      offers.push(iconButton(
        "reply",
        t(this.place === "thread" ? "page.reply" : "page.answer"),
        () => on.reply(message),
      ));
    }
    if (on.edit && this.editable()) offers.push(iconButton("edit", t("page.edit"), () => on.edit(message)));
    return this.look === "event" ? [] : offers;
  }

  /** Whether a person changed their words; the desk's own messages change all the time, and say so themselves. */
  #mended() {
    return this.message.edited && this.message.tone === "say" && !this.message.author.desk;
  }

  /** One's own words may be mended, commands may not. */
  editable() {
    return this.message.mine && ["say", "note"].includes(this.look) && typedIn(this.message) !== "";
  }

  /** Whether it carries on what `before` said: same voice, same kind, soon after. */
  follows(before) {
    if (!before || before.message.rows.length) return false;
    const [one, other] = [before.message, this.message];
    const voice = (message) => [message.author.name, message.author.desk, message.mine, message.only].join("/");
    const soon = new Date(other.at) - new Date(one.at) < PAUSE;
    return soon && before.look === this.look && before.side === this.side && voice(one) === voice(other);
  }
}
