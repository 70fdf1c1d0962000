// A ticket's card in full: title, state and buttons stay in sight while its words scroll with the thread.

import { bodyOf, markOf, splitMark } from "./body.js";
import { Choices } from "./choices.js";
import { h, iconButton } from "./dom.js";
import { t } from "./words.js";

/** What a list shows of a card: sign of priority, title, the quiet lines and everything that can be searched. */
export function gist(message) {
  const paragraphs = message.blocks.filter((block) => block.kind === "paragraph");
  const title = paragraphs.find((block) => block.style === "title") ?? paragraphs[0];
  const { mark, rest } = splitMark(title?.text ?? "");
  const quiet = paragraphs.filter((block) => block.style === "quiet" && block !== title).map((block) => block.text);
  return { mark, title: rest, quiet, block: title };
}

/** The lines right below the title: whose it is, and how it stands. */
function state(blocks, title) {
  const rest = blocks.filter((block) => block !== title);
  const end = rest.findIndex((block) => block.kind !== "paragraph");
  return rest.slice(0, end < 0 ? 3 : Math.min(end, 3));
}

export class Card {
  #open = new Set();

  constructor(message, { back, left }) {
    this.title = h("h2", { class: "card-title", tabIndex: -1, dir: "auto" });
    this.state = h("div", { class: "card-state" });
    this.choices = new Choices(message, { flat: true, left });
    this.details = h("div", { class: "card-details" });
    const line = h(
      "div",
      { class: "card-line" },
      iconButton("back", t("page.back"), back, { class: "back" }),
      this.title,
    );
    this.head = h("header", { class: "card-head" }, line, this.state, this.choices.node);
    this.node = h("article", { class: "card" }, this.head, this.details);
    this.update(message);
  }

  update(message) {
    const { mark, title, block } = gist(message);
    Object.assign(this.node.dataset, { message: message.id, tone: message.tone });
    this.node.setAttribute("aria-label", title);
    this.title.replaceChildren(...[markOf(mark), h("span", null, title)].filter(Boolean));
    this.choices.update(message);
    const drawn = JSON.stringify(message.blocks);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const above = state(message.blocks, block);
    this.state.replaceChildren(...bodyOf(above));
    const below = message.blocks.filter((one) => one !== block && !above.includes(one));
    this.details.replaceChildren(...bodyOf(below, this.#open));
  }
}
