// One conversation on the screen: its messages, their scrolling, and the place to write below them.

import { Composer } from "./composer.js";
import { h, icon } from "./dom.js";
import { Log } from "./log.js";
import { t } from "./words.js";

const NEAR = 90;

export class Conversation {
  #stuck = true;
  #top = 0;
  #reach = 0;
  #missed = 0;
  #stops = [];

  /** `place`: chat or thread; `room`, `thread`: where words go; `belongs`: what is shown; `lead` stands above. */
  constructor(
    app,
    { place, room, thread = null, ticket = null, belongs, lead = null, empty = null, labels, open = null },
  ) {
    Object.assign(this, { app, room, thread, belongs });
    this.composer = new Composer({
      place: `${room}/${thread ?? ""}`, label: labels.composer, thread: place === "thread" ? { ticket } : null,
      send: (letter) => this.#send(letter), ownLast: () => this.log.ownLast(), grown: () => this.#keep(),
    });
    const on = {
      edit: (message) => this.composer.correct(message),
      reply: (message) => this.composer.answer(message),
      left: () => this.composer.focus(),
      ticket: open && ((message) => open(message)),
    };
    this.log = new Log({ place, label: labels.log, empty, on });
    this.#build(lead, labels);
    this.log.fill(app.board.select(belongs));
    this.#pend();
    this.#stops.push(
      app.board.listen((message, before) => this.#hear(message, before)),
      app.outgoing.listen(() => this.#pend()),
    );
  }

  #build(lead, labels) {
    this.more = h(
      "button",
      { type: "button", class: "jump", hidden: true, onclick: () => this.toEnd(true) },
      icon("down"),
      h("span"),
    );
    this.inner = h("div", { class: "inner" }, lead, this.log.node);
    this.log.node.addEventListener("click", (event) => this.#pressed(event));
    this.scroller = h(
      "div",
      { class: "scroller", tabIndex: 0, role: "region", "aria-label": labels.log, onscroll: () => this.#scrolled() },
      this.inner,
    );
    const veil = h("div", { class: "veil", "aria-hidden": "true" }, icon("attach"), t("page.drop"));
    this.node = h(
      "section",
      { class: "conversation" },
      this.scroller,
      h("div", { class: "jump-holder" }, this.more),
      this.composer.node,
      veil,
    );
    this.#drops();
    const watch = new ResizeObserver(() => this.#keep());
    watch.observe(this.inner);
    watch.observe(this.scroller);
    this.#stops.push(() => watch.disconnect());
  }

  #drops() {
    let depth = 0;
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    const show = (by) => this.node.classList.toggle("dropping", (depth = by ? Math.max(0, depth + by) : 0) > 0);
    this.node.addEventListener("dragenter", (event) => carries(event) && show(1));
    this.node.addEventListener("dragleave", (event) => carries(event) && show(-1));
    this.node.addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      show(0);
      this.composer.attach(event.dataTransfer.files);
    });
  }

  #send(letter) {
    this.#stuck = true;
    this.app.outgoing.say({ room: this.room, thread: this.thread, ...letter });
    this.toEnd();
  }

  #pend() {
    const again = (letter) => this.app.outgoing.again(letter);
    const take = (letter) => {
      this.app.outgoing.drop(letter);
      this.composer.restore(letter);
    };
    this.log.pend(this.app.outgoing.of(this.room, this.thread), { again, take });
  }

  #hear(message, before) {
    if (message.deleted) return this.log.drop(message.id);
    if (!this.belongs(message)) return;
    this.log.put(message);
    if (before || message.mine || this.#stuck) return;
    this.#missed += 1;
    this.#jump();
  }

  /** Whoever presses an answer wants to see what comes of it. */
  #pressed(event) {
    if (event.target.closest(".choices button")) this.#stuck = true;
  }

  murmur() {
    this.log.murmur();
  }

  /** Stays at the end while things grow. */
  #keep() {
    if (this.#stuck) this.toEnd();
  }

  /** Only scrolling up leaves the end; what grows or shrinks around, and moves the view by that, does not. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (!clientHeight) return;
    const reach = scrollHeight - clientHeight;
    const up = scrollTop < this.#top && reach === this.#reach;
    [this.#top, this.#reach] = [scrollTop, reach];
    if (reach - scrollTop < NEAR) this.#stuck = true;
    else if (up) this.#stuck = false;
    if (this.#stuck) this.#missed = 0;
    this.#jump();
  }

  #jump() {
    this.more.hidden = this.#stuck;
    this.more.lastChild.textContent = this.#missed ? t("page.jump.new", { count: this.#missed }) : t("page.jump");
    this.more.classList.toggle("news", this.#missed > 0);
  }

  toEnd(smooth = false) {
    const calm = !smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: calm ? "instant" : "smooth" });
    if (calm) this.#top = this.scroller.scrollTop;
    this.#reach = this.scroller.scrollHeight - this.scroller.clientHeight;
  }

  destroy() {
    for (const stop of this.#stops) stop();
    this.node.remove();
  }
}
