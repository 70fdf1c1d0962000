// The demo: two people's pages side by side, or as tabs on a narrow screen, and one language switch for both.

import { h, icon } from "./dom.js";
import { languages } from "./frame.js";
import { given, t } from "./words.js";
import { post } from "./wire.js";

const sides = [given.left, given.right];
const ROLES = ["page.demo.requester", "page.demo.agent"];
const home = (seat) => `/s/${encodeURIComponent(seat)}/`;
const codes = given.languages ?? ["en", "ru"];
const trouble = h("p", { class: "trouble", role: "alert", hidden: true });

async function change(language) {
  try {
    await Promise.all(sides.map((side) => post("language", { language }, home(side.seat), side.csrf)));
    location.reload();
  } catch (error) {
    trouble.textContent = error.message || t("page.error.unreached");
    trouble.hidden = false;
  }
}

function alone({ seat, title }) {
  return h(
    "a",
    { class: "alone", href: home(seat), target: "_blank", title: t("page.demo.alone", { name: title }) },
    title,
    icon("out"),
  );
}

function pane(side, at) {
  const frame = h("iframe", { src: home(side.seat), title: side.title, id: `frame-${at}`, name: side.seat });
  const link = h(
    "a",
    {
      href: home(side.seat), target: "_blank", class: "icon-button",
      "aria-label": t("page.demo.alone", { name: side.title }), title: t("page.demo.alone", { name: side.title }),
    },
    icon("out"),
  );
  const head = h(
    "header",
    { class: "demo-title" },
    h("h2", { dir: "auto" }, side.title),
    h("span", { class: "demo-role" }, t(ROLES[at])),
    link,
  );
  return h(
    "section",
    { class: "demo-pane", id: `pane-${at}`, "aria-label": side.title, "data-seat": side.seat },
    head,
    frame,
  );
}

const panes = sides.map(pane);
const tabs = sides.map((side, at) =>
  h(
    "button",
    { type: "button", role: "tab", id: `tab-${at}`, "aria-controls": `pane-${at}`, onclick: () => choose(at) },
    h("span", { dir: "auto" }, side.title),
    h("span", { class: "demo-role" }, t(ROLES[at])),
    h("span", { class: "badge", hidden: true }),
  ),
);
const tablist = h(
  "div",
  { class: "demo-tabs", role: "tablist", "aria-label": t("page.demo.people"), onkeydown: step },
  tabs,
);

/** On narrow screens one person at a time. */
function choose(at) {
  panes.forEach((one, index) => one.classList.toggle("chosen", index === at));
  tabs.forEach((one, index) => {
    one.setAttribute("aria-selected", String(index === at));
    one.tabIndex = index === at ? 0 : -1;
  });
}

function step(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const next = (tabs.indexOf(document.activeElement) + by + tabs.length) % tabs.length;
  choose(next);
  tabs[next].focus();
}

addEventListener("message", (event) => {
  if (event.origin !== location.origin || event.data?.deskbridge !== "unread") return;
  const at = sides.findIndex((side) => side.seat === event.data.seat);
  const badge = tabs[at]?.querySelector(".badge");
  if (!badge) return;
  badge.hidden = !event.data.count;
  badge.textContent = String(event.data.count);
});

const others = given.others ?? [];
const brand = h(
  "span",
  { class: "brand" },
  h("span", { class: "brand-mark", "aria-hidden": "true" }, icon("desk")),
  h("h1", { class: "brand-name" }, t("page.brand")),
);
document.getElementById("app").replaceChildren(
  h(
    "header",
    { class: "bar demo-bar" },
    brand,
    h("p", { class: "demo-about" }, t("page.demo.about")),
    others.length ? h(
      "nav",
      { class: "demo-others", "aria-label": t("page.demo.others") },
      h("span", null, t("page.demo.others")),
      others.map(alone),
    ) : null,
    languages(codes, given.language, change),
  ),
  trouble,
  tablist,
  h("main", { class: "demo-panes" }, panes),
);
choose(0);
