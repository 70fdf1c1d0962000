// The buttons of a message: rows, a "More" menu, forms, and the busy state of what was pressed.

import * as acts from "./acts.js";
import { h } from "./dom.js";
import { openForm } from "./form.js";
import { menuButton } from "./menu.js";
import { t } from "./words.js";

const LONG = 8000;
const busy = new Set();

/** A new message came to a room: what was pressed there has had its answer. */
export function settleRoom(room) {
  for (const choices of [...busy]) if (choices.message.room === room) choices.settle();
}

/** A scale of stars stays in one line, however narrow. */
function rowOf(line) {
  return line.length && line.every((choice) => /^★+$/u.test(choice.label)) ? "row stars" : "row";
}

export class Choices {
  #drawn = "";
  #menu = null;
  #pressed = "";
  #patience = 0;
  #width = 0;
  #stowed = new Set();

  /** `flat` puts everything into one row; where that may not wrap, what has no room goes into the menu. `left` is called when the focused button went away and nothing here can take the focus. */
  constructor(message, { flat = false, left = () => {} } = {}) {
    this.flat = flat;
    this.left = left;
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    this.rows = h("div", { class: "rows" });
    this.node = h("div", { class: "choices" }, this.rows, this.trouble);
    this.update(message);
    if (flat) new ResizeObserver(() => this.#resized()).observe(this.rows);
  }

  #resized() {
    if (this.rows.clientWidth === this.#width) return;
    this.#width = this.rows.clientWidth;
    this.#redraw();
  }

  update(message) {
    const before = this.message?.rows.flat().map((choice) => choice.code) ?? [];
    this.message = message;
    this.settle();
    const drawn = JSON.stringify(message.rows);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.node.hidden = message.rows.length === 0;
    this.#redraw(!message.rows.flat().some((choice) => before.includes(choice.code)));
  }

  /** `others`: none of the choices stood here before; nothing of another question is pressed by a key too many. */
  #redraw(others = false) {
    const focus = this.#focused();
    this.#stowed.clear();
    this.#draw();
    const shown = this.message.rows.flat().filter((choice) => !choice.menu);
    while (this.flat && shown.length > 1 && this.rows.scrollWidth > this.rows.clientWidth) {
      this.#stowed.add(shown.pop());
      this.#draw();
    }
    if (focus) this.#refocus(focus, others);
  }

  #focused() {
    const active = document.activeElement;
    if (!active || !this.rows.contains(active)) return null;
    const open = this.#menu?.isOpen();
    return {
      label: open ? this.#menu.current() : active.dataset.label ?? "",
      open,
      keys: active.matches(":focus-visible"),
    };
  }

  #refocus({ label, open, keys }, others) {
    if (others) return keys && this.left();
    if (open && this.#menu) return this.#menu.open(label);
    const buttons = [...this.rows.querySelectorAll("button.button")];
    const next = buttons.find((button) => button.dataset.label === label) ?? (keys ? buttons[0] : null);
    if (next) next.focus();
    else if (keys) this.left();
  }

  #draw() {
    const { rows } = this.message;
    const lines = this.flat ? [rows.flat()] : rows;
    const inMenu = (choice) => choice.menu || this.#stowed.has(choice);
    const hidden = rows.flat().filter(inMenu).sort((one, other) => one.menu - other.menu);
    this.#menu = hidden.length ? menuButton(t("page.more"), hidden, (choice) => this.#chosen(choice)) : null;
    const drawn = lines.map((line) => line.filter((choice) => !inMenu(choice))).filter((line) => line.length);
    const nodes = drawn.map((line) => h("div", { class: rowOf(line) }, line.map((choice) => this.#button(choice))));
    if (this.#menu && !nodes.length) nodes.push(h("div", { class: "row rare" }));
    this.rows.replaceChildren(...nodes);
    if (this.#menu) (this.flat ? this.rows : nodes.at(-1)).append(this.#menu.node);
    this.#paint();
  }

  #button(choice) {
    const props = {
      type: "button", class: `button ${choice.style}`, "data-label": choice.label,
      "aria-haspopup": choice.form ? "dialog" : null,
    };
    return h(
      "button",
      { ...props, onclick: () => this.#chosen(choice) },
      h("span", { class: "label", dir: "auto" }, choice.label),
    );
  }

  #chosen(choice) {
    if (this.#pressed) return;
    if (choice.form) this.#open(choice.form);
    else this.#press(choice);
  }

  #open(form) {
    const { message } = this;
    const where = `${message.room}/${acts.threadOf(message) ?? ""}`;
    openForm(form, where, (values) => acts.submit(message, form.code, values));
  }

  async #press(choice) {
    this.#pressed = choice.label;
    busy.add(this);
    this.#complain("");
    this.#paint();
    try {
      await acts.press(this.message, choice.code);
      this.#patience = setTimeout(() => this.settle(), LONG);
    } catch (error) {
      this.settle();
      this.#complain(error.message);
    }
  }

  #complain(sentence) {
    this.trouble.textContent = sentence;
    this.trouble.hidden = !sentence;
  }

  settle() {
    clearTimeout(this.#patience);
    busy.delete(this);
    if (!this.#pressed) return;
    this.#pressed = "";
    this.#paint();
  }

  #paint() {
    for (const button of this.rows.querySelectorAll("button.button")) {
      const is = this.#pressed !== "" && (button.dataset.label ?? "") === this.#inButton();
      button.classList.toggle("busy", is);
      button.setAttribute("aria-busy", String(is));
      if (this.#pressed) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }

  /** What was chosen in the menu shows as busy on "More". */
  #inButton() {
    const choice = this.message.rows.flat().find((one) => one.label === this.#pressed);
    return choice?.menu || this.#stowed.has(choice) ? "" : this.#pressed;
  }
}
