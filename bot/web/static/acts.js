// What a person does with a message already shown: press, fill in a form, edit.

import { persist } from "./wire.js";

/** The thread a message belongs to; a card is the root of its own. */
export function threadOf(message) {
  return message.thread ?? (message.tone === "card" ? message.id : null);
}

export function press(message, code) {
  return persist("press", { room: message.room, message: message.id, code });
}

export function submit(message, code, values) {
  return persist("submit", { room: message.room, thread: threadOf(message), code, values });
}

export function edit(message, text) {
  return persist("edit", { room: message.room, message: message.id, text });
}
