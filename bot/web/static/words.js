// What the server wrote into the page: who looks at it, and the words and dates of their language.

const source = document.querySelector('script[type="application/json"]');

/** The JSON of the page. */
export const given = JSON.parse(source?.textContent || "{}");
const language = given.language ?? document.documentElement.lang ?? "en";
const words = given.words ?? {};

/** Dates and hours are told as the desk tells them: 22 November, 17:13. */
const locale = { en: "en-GB" }[language] ?? language;

/** A sentence of the catalogue with its facts put in. */
export function t(key, facts = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? String(facts[name]) : whole));
}

const clockForm = new Intl.DateTimeFormat(locale, { timeStyle: "short", hourCycle: "h23" });
const dayForm = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" });
const yearForm = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
const shortForm = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const fullForm = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", hourCycle: "h23" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

function daysAgo(date) {
  return Math.round((midnight(new Date()) - midnight(date)) / 86_400_000);
}

function capital(text) {
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}

/** The time of day. */
export const clock = (iso) => clockForm.format(new Date(iso));

/** Day and time in full, for a tooltip. */
export const moment = (iso) => fullForm.format(new Date(iso));

/** A name of the day for a separator: Today, Yesterday, 3 March. */
export function day(iso) {
  const date = new Date(iso);
  const ago = daysAgo(date);
  if (ago === 0 || ago === 1) return capital(relative.format(-ago, "day"));
  return date.getFullYear() === new Date().getFullYear() ? dayForm.format(date) : yearForm.format(date);
}

/** A short moment for a list: the time today, else the day. */
export function brief(iso) {
  const date = new Date(iso);
  return daysAgo(date) === 0 ? clockForm.format(date) : shortForm.format(date);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

/** A size people read: 240 kB. */
export function size(bytes) {
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const form = { style: "unit", unit: UNITS[step], unitDisplay: "short", maximumFractionDigits: step > 1 ? 1 : 0 };
  return new Intl.NumberFormat(language, form).format(bytes / 1000 ** step);
}

/** A number with its separators. */
export const number = (value) => new Intl.NumberFormat(language).format(value);

/** What a language calls itself. */
export function tongue(code) {
  return capital(new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code);
}
