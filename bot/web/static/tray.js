// Files on their way into a message: chosen, dropped or pasted, sent at once, shown with their progress.

import { h, iconButton } from "./dom.js";
import { given, size, t } from "./words.js";
import { Refused, pause, upload } from "./wire.js";

const TRIES = 4;

export class Tray {
  #chips = [];

  constructor(changed) {
    this.changed = changed;
    this.node = h("ul", { class: "tray", "aria-label": t("page.files"), hidden: true });
  }

  get uploading() {
    return this.#chips.some((chip) => chip.state === "sending");
  }

  get failed() {
    return this.#chips.some((chip) => chip.state === "failed");
  }

  get files() {
    return this.#chips.filter((chip) => chip.state === "here").map((chip) => chip.file);
  }

  add(files) {
    for (const file of files) this.#take(file);
  }

  /** Files already with the server, taken back from a message that could not be sent. */
  restore(files) {
    for (const file of files) this.#show({ state: "here", file, name: file.name, bytes: file.size ?? 0 });
  }

  clear() {
    for (const chip of [...this.#chips]) this.#drop(chip);
  }

  #take(file) {
    const chip = { state: "sending", name: file.name, bytes: file.size, source: file };
    this.#show(chip);
    if (file.size > given.limits.file) this.#fail(
      chip,
      t("page.file.too_big", { limit: size(given.limits.file) }),
      false,
    );
    else this.#send(chip);
  }

  #show(chip) {
    chip.bar = h("progress", { max: 1, value: 0, "aria-label": t("page.file.sending", { name: chip.name }) });
    chip.note = h("span", { class: "chip-note" });
    chip.retry = h(
      "button",
      { type: "button", class: "link", hidden: true, onclick: () => this.#send(chip) },
      t("page.pending.again"),
    );
    const words = h("span", { class: "chip-words" }, h("bdi", { class: "chip-name" }, chip.name), chip.note, chip.bar);
    const remove = iconButton("close", t("page.file.remove", { name: chip.name }), () => this.#drop(chip));
    chip.node = h("li", { class: "chip" }, words, chip.retry, remove);
    this.#chips.push(chip);
    this.node.append(chip.node);
    this.#state(chip, chip.state, chip.bytes ? size(chip.bytes) : "");
  }

  #state(chip, state, note) {
    chip.state = state;
    chip.note.textContent = note;
    chip.node.className = `chip ${state}`;
    chip.bar.hidden = state !== "sending";
    chip.retry.hidden = true;
    chip.note.setAttribute("role", state === "failed" ? "alert" : "none");
    this.node.hidden = this.#chips.length === 0;
    this.changed();
  }

  #fail(chip, sentence, again) {
    this.#state(chip, "failed", sentence);
    chip.retry.hidden = !again;
  }

  async #send(chip) {
    this.#state(chip, "sending", size(chip.bytes));
    for (let attempt = 1; this.#chips.includes(chip); attempt += 1) {
      const { answer, abort } = upload(chip.source, (done) => (chip.bar.value = done));
      chip.abort = abort;
      try {
        chip.file = { size: chip.bytes, ...(await answer) };
        return this.#state(chip, "here", size(chip.bytes));
      } catch (error) {
        if (error instanceof Refused) return this.#fail(chip, error.message, false);
        if (attempt === TRIES) return this.#fail(chip, t("page.error.unreached"), true);
        await pause(500 * 2 ** attempt);
      }
    }
  }

  #drop(chip) {
    const at = this.#chips.indexOf(chip);
    if (at < 0) return;
    this.#chips.splice(at, 1);
    chip.abort?.();
    chip.node.remove();
    this.node.hidden = this.#chips.length === 0;
    this.changed();
  }
}
