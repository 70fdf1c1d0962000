// Starts the page of a signed-in person: hears the stream, shows the requester's chat or the agent's desk.

import { Board } from "./board.js";
import { settleRoom } from "./choices.js";
import { Desk } from "./desk.js";
import { banner, embedded } from "./frame.js";
import { tab } from "./keep.js";
import { Outgoing } from "./outgoing.js";
import { Requester } from "./requester.js";
import { Stream } from "./wire.js";
import { given } from "./words.js";

const root = document.getElementById("app");
const board = new Board();
const outgoing = new Outgoing(board);
const app = { board, outgoing, rooms: given.rooms };
let view = null;

function hear(name, news) {
  if (name === "message") message(news);
  else if (name === "ready") ready(news);
  else view?.murmur(news.room);
}

function message(news) {
  const fresh = !board.get(news.id);
  if (fresh) outgoing.settle(news);
  board.take(news);
  if (fresh && board.ready) settleRoom(news.room);
}

/** The page was drawn for other rooms or in another language: it is drawn anew, once in a while at most. */
function outdated({ rooms, language }) {
  const drawn = given.rooms.map((one) => one.room).sort();
  const fits = (!language || language === given.language) && (!rooms || String(rooms) === String(drawn));
  if (fits || Date.now() - tab.get("redrawn", 0) < 5000) return false;
  tab.set("redrawn", Date.now());
  location.reload();
  return true;
}

/** The past has been replayed: from now on everything is live. Comes again after each reconnection. */
function ready(facts) {
  if (outdated(facts)) return;
  outgoing.hurry();
  if (board.ready) return;
  board.ready = true;
  view = given.person.staff ? new Desk(app) : new Requester(app);
  root.replaceChildren(banner.node, view.node);
  root.removeAttribute("aria-busy");
  view.started();
  outgoing.pump();
}

document.documentElement.classList.toggle("embedded", embedded);
root.append(banner.node);
const stream = new Stream(hear, (state) => banner.state(state));
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (event) => event.persisted && location.reload());
