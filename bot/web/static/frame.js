// What surrounds every conversation: brand, language switch, connection banner, unread marks in the title.

import { h, icon } from "./dom.js";
import { given, t, tongue } from "./words.js";
import { post } from "./wire.js";

/** Shown inside the demo, which has a header of its own. */
export const embedded = Boolean(given.demo) && window.parent !== window;

/** Buttons that change the language; `change(code)` does it. */
export function languages(codes, current, change) {
  const button = (code) =>
    h(
      "button",
      {
        type: "button", lang: code, "aria-label": tongue(code), title: tongue(code),
        "aria-pressed": String(code === current), onclick: () => code !== current && change(code),
      },
      code.toUpperCase(),
    );
  return h("div", { class: "languages", role: "group", "aria-label": t("page.language") }, codes.map(button));
}

async function changeLanguage(language) {
  try {
    await post("language", { language });
    location.reload();
  } catch (error) {
    banner.show("lost", error.message);
  }
}

/** The bar on top: whose page it is, and in which language. */
export function bar(title, ...extra) {
  if (embedded) return h("h1", { class: "unseen" }, title);
  const brand = h(
    "span",
    { class: "brand" },
    h("span", { class: "brand-mark", "aria-hidden": "true" }, icon("desk")),
    h("h1", { class: "brand-name" }, title),
  );
  const who = h("span", { class: "who", dir: "auto" }, given.person.name);
  return h("header", { class: "bar" }, brand, extra, who, languages(given.languages, given.language, changeLanguage));
}

class Banner {
  #late = 0;

  constructor() {
    this.words = h("span");
    this.link = h(
      "a",
      { href: "/sign-in", class: "button", hidden: true, target: embedded ? "_top" : null },
      t("page.banner.sign_in"),
    );
    this.node = h("div", { class: "banner", role: "status", hidden: true }, this.words, this.link);
  }

  /** A short break is not worth a word, a longer one is. */
  state(state) {
    if (state === "lost") {
      this.#late ||= setTimeout(() => this.show("lost", t("page.banner.lost")), 2500);
      return;
    }
    clearTimeout(this.#late);
    this.#late = 0;
    if (state === "open") this.node.hidden = true;
    else this.show("out", t("page.banner.out"));
  }

  show(kind, sentence) {
    this.node.className = `banner ${kind}`;
    this.words.textContent = sentence;
    this.link.hidden = kind !== "out";
    this.node.hidden = false;
  }
}

export const banner = new Banner();

const title = document.title;

/** Shows the number of unread things in the tab's title, and to the demo around. */
export function unread(count) {
  document.title = count ? `(${count}) ${title}` : title;
  if (embedded) window.parent.postMessage({ deskbridge: "unread", seat: given.seat, count }, location.origin);
}

/** Whether the page is before somebody's eyes. */
export function watched() {
  return !document.hidden && innerWidth > 0;
}

/** Calls `run` whenever the page comes before somebody's eyes again. */
export function onWatched(run) {
  const check = () => watched() && run();
  document.addEventListener("visibilitychange", check);
  addEventListener("resize", check);
}
