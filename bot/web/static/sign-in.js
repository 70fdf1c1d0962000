// Turns the one-time token of a link into a session; without one it says where links come from.

import { h } from "./dom.js";
import { given, t } from "./words.js";
import { Refused, post } from "./wire.js";

const title = h("h1", null, t("page.sign_in.title"));
const words = h("p", { role: "status" });
const again = h(
  "button",
  { type: "button", class: "button primary", hidden: true, onclick: () => enter() },
  t("page.pending.again"),
);
const mark = h("img", { src: "/static/icon.svg", alt: "", width: 56, height: 56 });
const help = given.visitors && h("a", { class: "button", href: "/chat" }, t("page.sign_in.visit"));
let token = location.hash.slice(1).replace(/^token=/, "");

/** The token leaves the address at once, so that it is neither seen nor shared. */
function hide() {
  history.replaceState(null, "", location.pathname);
}

async function enter() {
  again.hidden = true;
  words.textContent = t("page.sign_in.working");
  try {
    const { to } = await post("sign-in", { token }, "/", "");
    location.replace(to);
  } catch (error) {
    const refused = error instanceof Refused;
    words.textContent = refused ? error.message : t("page.error.unreached");
    again.hidden = refused;
  }
}

function begin() {
  token = location.hash.slice(1).replace(/^token=/, "") || token;
  if (!token) {
    words.textContent = t("page.sign_in.how");
    return;
  }
  hide();
  enter();
}

document.getElementById("app").replaceChildren(h("main", { class: "lone" }, mark, title, words, again, help));
addEventListener("hashchange", begin);
begin();
