// Talks to the server: posts that may be repeated, uploads with progress, and the stream of events.

import { given, t } from "./words.js";

const home = `/s/${encodeURIComponent(given.seat)}/`;
const PATIENCE = 15_000;

/** The server said no, in a sentence for the person. */
export class Refused extends Error {
  constructor(sentence, status) {
    super(sentence || t("page.error.refused"));
    this.status = status;
  }
}

/** Nobody answered, or the server is in trouble: worth trying again. */
export class Unreached extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A key that makes a repeated post count once; works without a secure origin too. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function verdict(status, text) {
  let answer = {};
  try {
    answer = JSON.parse(text || "{}");
  } catch {
    // A proxy's page instead of our JSON: only its status counts.
  }
  if (status >= 200 && status < 300) return answer;
  if (status >= 500 || status === 429 || status === 408) throw new Unreached(answer.error ?? "", status);
  throw new Refused(answer.error, status);
}

async function once(address, body, csrf) {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Deskbridge-Csrf": csrf ?? "" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    return [response.status, await response.text()];
  } catch {
    throw new Unreached("");
  }
}

/** One post; throws Refused or Unreached. */
export async function post(path, body, base = home, csrf = null) {
  const [status, text] = await once(base + path, body, csrf ?? given.csrf);
  if (status !== 403 || csrf !== null || !(await renew())) return verdict(status, text);
  return verdict(...(await once(base + path, body, given.csrf)));
}

/** Another tab may have begun a newer session of the same person: takes its proof over. True if there is one. */
async function renew() {
  try {
    const page = await (await fetch(home, { signal: AbortSignal.timeout(PATIENCE) })).text();
    const source = new DOMParser().parseFromString(page, "text/html").getElementById("seat");
    const { csrf } = JSON.parse(source.textContent);
    if (!csrf || csrf === given.csrf) return false;
    given.csrf = csrf;
    return true;
  } catch {
    return false;
  }
}

/** A post repeated with the same key for a while when nobody answers. */
export async function persist(path, body, tries = 6) {
  const keyed = { key: newKey(), ...body };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await post(path, keyed);
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (attempt >= tries) throw new Refused(error.message || t("page.error.unreached"), 0);
      await pause(Math.min(5000, 400 * 2 ** attempt));
    }
  }
}

/** Sends a file; `progress` hears 0..1. Returns {answer: Promise, abort()}. */
export function upload(file, progress) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    request.open("POST", `${home}files`);
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.setRequestHeader("X-Deskbridge-Csrf", given.csrf);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Unreached(""));
    request.onload = () => {
      try {
        resolve(verdict(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.send(file);
  });
  return { answer, abort: () => request.abort() };
}

/** The live stream. Opens itself again for as long as the page lives; `state` hears open, lost or out. */
export class Stream {
  #source = null;
  #failures = 0;
  #retry = 0;

  constructor(hear, state) {
    this.hear = hear;
    this.state = state;
    this.#open();
    addEventListener("online", () => this.#open());
    this.#watchSleep();
  }

  #open() {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource(`${home}events`);
    this.#source = source;
    for (const name of ["message", "ready", "typing"]) {
      source.addEventListener(name, (event) => this.hear(name, JSON.parse(event.data || "{}")));
    }
    source.onopen = () => {
      this.#failures = 0;
      this.state("open");
    };
    source.onerror = () => this.#failed(source);
  }

  close() {
    clearTimeout(this.#retry);
    this.#source?.close();
  }

  #failed(source) {
    if (source !== this.#source) return;
    this.state("lost");
    if (source.readyState !== EventSource.CLOSED) return;
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#probe(), Math.min(8000, 500 * 2 ** this.#failures));
  }

  /** A closed source does not say why: asks once, so that an ended session is told from a server that is down. */
  async #probe() {
    const stop = new AbortController();
    try {
      const { status } = await fetch(`${home}events`, { signal: stop.signal });
      stop.abort();
      if (status === 401 || status === 403) return this.state("out");
    } catch {
      // Still nobody there; the next attempt tells.
    }
    this.#open();
  }

  /** After the computer slept the old connection may look alive for minutes. */
  #watchSleep() {
    let last = Date.now();
    setInterval(() => {
      if (Date.now() - last > 45_000) this.#open();
      last = Date.now();
    }, 10_000);
  }
}
