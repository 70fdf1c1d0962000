// Where people write: text, files, corrections, and in a ticket's thread the choice between a note and a reply.

import * as acts from "./acts.js";
import { typedIn } from "./board.js";
import { fingers, h, icon, iconButton } from "./dom.js";
import { tab } from "./keep.js";
import { Tray } from "./tray.js";
import { given, number, t } from "./words.js";

export class Composer {
  #mode = "plain";
  #target = null;
  #armed = null;
  #aside = "";

  /** `thread`: {ticket} where plain text is a note, else null. `send` gets a letter, `ownLast` finds what to mend. */
  constructor({ place, label, thread, send, ownLast, grown }) {
    Object.assign(this, { draft: `draft/${place}`, thread, send, ownLast, grown });
    this.tray = new Tray(() => this.#carried());
    this.#build(label);
    this.text.value = tab.get(this.draft, "");
    this.#refresh();
  }

  #build(label) {
    this.text = h("textarea", {
      id: "composer-text", rows: 1, dir: "auto", "aria-describedby": "composer-hint",
      autocomplete: "off", enterkeyhint: fingers() ? "enter" : "send",
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onpaste: (event) => this.#pasted(event),
    });
    this.picker = h(
      "input",
      { type: "file", multiple: true, hidden: true, "aria-label": t("page.attach"), onchange: () => this.#picked() },
    );
    this.caption = h("label", { class: this.thread ? "caption" : "caption unseen", for: "composer-text" }, label);
    this.label = label;
    this.strip = h("div", { class: "strip", hidden: true });
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    this.hint = h("p", { class: "hint", id: "composer-hint" });
    const attach = iconButton("attach", t("page.attach"), () => this.picker.click());
    const box = h("div", { class: "box" }, attach, this.text, this.thread ? null : this.#sendButton());
    const foot = h("div", { class: "foot" }, this.hint, this.thread ? this.#noteButtons() : null);
    this.node = h(
      "form",
      { id: "composer", class: "composer", novalidate: true, onsubmit: (event) => this.#submitted(event) },
      this.strip,
      this.caption,
      this.tray.node,
      box,
      this.trouble,
      foot,
      this.picker,
    );
  }

  #sendButton() {
    this.main = iconButton("send", t("page.send"), null, { type: "submit", class: "send" });
    return this.main;
  }

  #noteButtons() {
    this.main = h("button", { type: "submit", class: "button note-button", "data-testid": "send-note" });
    this.other = h(
      "button",
      {
        type: "button", class: "button primary reply-button", "data-testid": "send-reply",
        onclick: () => this.#replyPressed(),
      },
      icon("reply"),
      h("span", null, t("page.reply.to_requester")),
    );
    return h("div", { class: "row" }, this.main, this.other);
  }

  focus() {
    if (!fingers()) this.text.focus();
  }

  /** Puts words in, to be changed or sent as they are. */
  suggest(text) {
    this.text.value = text;
    this.#typed();
    this.text.focus();
  }

  /** Files dropped anywhere on the conversation. */
  attach(files) {
    this.tray.add(files);
    this.focus();
  }

  /** A message that could not be sent comes back to be mended. */
  restore(letter) {
    this.text.value = [letter.shown, this.text.value].filter(Boolean).join("\n");
    this.tray.restore(letter.files);
    if (letter.tone === "reply") this.#enter("reply");
    this.#typed();
    this.text.focus();
  }

  /** The next words answer this message; in a thread they go to the requester. */
  answer(message) {
    this.#enter(this.thread ? "reply" : "answer", message);
    this.text.focus();
  }

  /** One's own message is open for correction. */
  correct(message) {
    if (this.#mode !== "edit") this.#aside = this.text.value;
    this.#enter("edit", message);
    this.text.value = typedIn(message);
    this.#grow();
    this.#refresh();
    this.text.focus();
  }

  #enter(mode, target = null) {
    this.#mode = mode;
    this.#target = target;
    this.#refresh();
  }

  #leave() {
    if (this.#mode === "edit") this.text.value = this.#aside;
    this.#enter("plain");
    this.#typed();
    this.text.focus();
  }

  get #words() {
    return this.text.value.trim();
  }

  get #nothing() {
    return !this.#words && !this.tray.files.length && !this.tray.uploading;
  }

  #refresh() {
    const mode = this.#mode;
    const count = this.text.value.length;
    const tooLong = count > given.limits.text;
    this.node.classList.toggle("is-note", Boolean(this.thread) && mode !== "reply");
    this.node.classList.toggle("is-reply", mode === "reply");
    this.#complain(tooLong ? t("page.text.too_long", { count: number(count), limit: number(given.limits.text) }) : "");
    this.#captions(mode);
    this.main.classList.toggle("busy", this.#armed !== null);
    this.main.disabled = this.#nothing || tooLong;
    if (this.other) {
      this.other.hidden = mode !== "plain";
      this.other.disabled = tooLong || /^\/\p{L}/u.test(this.#words);
    }
  }

  #captions(mode) {
    const reply = mode === "reply";
    this.text.placeholder = !this.thread ? this.label : t(reply ? "page.reply.placeholder" : "page.note.placeholder");
    this.hint.textContent = fingers() ? "" : t(given.person.staff ? "page.hint.staff" : "page.hint.keys");
    if (this.thread) {
      this.caption.replaceChildren(icon("lock"), h("span", null, reply ? t("page.reply.caption") : this.label));
      this.caption.classList.toggle("unseen", reply);
      this.main.textContent = t(mode === "edit" ? "page.save" : reply ? "page.reply.send" : "page.note.send");
      this.main.classList.toggle("primary", reply);
    }
    const about = {
      edit: t("page.edit.caption"), answer: t("page.answer.caption"), reply: t("page.reply.caption"),
    }[mode];
    this.strip.hidden = !about;
    if (!about) return this.strip.replaceChildren();
    const quoted = this.#target && mode !== "edit" ? h(
      "span",
      { class: "quoted", dir: "auto" },
      typedIn(this.#target).slice(0, 200),
    ) : null;
    this.strip.replaceChildren(
      icon(mode === "edit" ? "edit" : "reply"),
      h("span", { class: "about" }, h("b", null, about), quoted),
      iconButton("close", t("page.cancel"), () => this.#leave()),
    );
  }

  #complain(sentence) {
    this.trouble.textContent = sentence;
    this.trouble.hidden = !sentence;
  }

  #typed() {
    if (this.#mode !== "edit") tab.set(this.draft, this.text.value || undefined);
    this.#grow();
    this.#refresh();
  }

  #grow() {
    this.text.style.height = "auto";
    if (this.text.value) this.text.style.height = `${this.text.scrollHeight + 2}px`;
    this.grown();
  }

  #key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && (!fingers() || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#go(this.#mode === "reply");
    } else if (event.key === "Escape" && this.#mode !== "plain") {
      event.preventDefault();
      this.#leave();
    } else if (event.key === "ArrowUp" && !this.text.value && this.#mode === "plain") {
      const last = this.ownLast();
      if (!last) return;
      event.preventDefault();
      this.correct(last);
    }
  }

  #pasted(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.tray.add(event.clipboardData.files);
  }

  #picked() {
    this.tray.add(this.picker.files);
    this.picker.value = "";
    this.focus();
  }

  #submitted(event) {
    event.preventDefault();
    this.#go(this.#mode === "reply");
  }

  #replyPressed() {
    if (!this.#nothing) return this.#go(true);
    this.#enter("reply");
    this.text.focus();
  }

  /** A file came through or failed; words that waited for it go now. */
  #carried() {
    const asReply = this.#armed;
    if (!this.tray.uploading) this.#armed = null;
    this.#refresh();
    if (asReply !== null && !this.tray.uploading && !this.tray.failed) this.#go(asReply);
  }

  /** Sends; while files are still on their way it waits for them. */
  #go(asReply) {
    const text = this.#words;
    if (this.text.value.length > given.limits.text || this.#nothing) return;
    if (this.#mode === "edit") return this.#save(text);
    if (this.tray.uploading) {
      this.#armed = asReply;
      return this.#refresh();
    }
    const spoken = asReply ? {
      text: `/reply ${this.thread.ticket ?? ""} ${text}`.replace(/ +/, " ").trim(),
      shown: text,
      tone: "reply",
    } : { text };
    this.send({ ...spoken, files: this.tray.files, replyTo: this.#target?.id });
    this.tray.clear();
    this.text.value = "";
    this.#enter("plain");
    this.#typed();
    this.focus();
  }

  async #save(text) {
    const message = this.#target;
    if (!text || text === typedIn(message).trim()) return this.#leave();
    try {
      await acts.edit(message, text);
      if (this.#target === message) this.#leave();
    } catch (error) {
      this.#complain(error.message);
    }
  }
}
