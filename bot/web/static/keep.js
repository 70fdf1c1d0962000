// Remembers small things in the browser, per person, and does without where storage is refused.

import { given } from "./words.js";

const prefix = `deskbridge/${given.seat}/`;

function shelf(storage) {
  return {
    get(name, otherwise) {
      try {
        return JSON.parse(storage().getItem(prefix + name)) ?? otherwise;
      } catch {
        return otherwise;
      }
    },
    set(name, value) {
      try {
        if (value === undefined) storage().removeItem(prefix + name);
        else storage().setItem(prefix + name, JSON.stringify(value));
      } catch {
        // A full or forbidden storage costs the memory of this tab, nothing else.
      }
    },
  };
}

/** Until the tab is closed: drafts and what is not sent yet. */
export const tab = shelf(() => sessionStorage);

/** For good: what has been read. */
export const browser = shelf(() => localStorage);
