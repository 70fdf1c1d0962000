// Shows the blocks of a message: paragraphs, quotes, facts and files, however long or odd their text is.

import { h, icon } from "./dom.js";
import { t } from "./words.js";

const LINES = 40;
const SIGNS = 4000;
const LABEL = 40;
const LINK = /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}»”]/gu;
const MARK = /^(\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F?)\s*/u;
const SHADES = {
  "🔴": "critical", "🟠": "high", "🟡": "normal", "🔵": "low", "⚪": "low", "⚪️": "low", "⚫": "done",
  "🟢": "fine", "✅": "fine", "🟣": "odd", "☑️": "done", "☑": "done",
};
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

/** A leading sign of priority and the rest of a title. */
export function splitMark(text) {
  const found = MARK.exec(text);
  return found ? { mark: found[1], rest: text.slice(found[0].length) } : { mark: "", rest: text };
}

/** The sign of priority: a coloured dot where it is one of ours, else the sign itself. */
export function markOf(sign) {
  if (!sign) return null;
  const shade = SHADES[sign];
  return h("span", { class: shade ? `dot ${shade}` : "sign", "aria-hidden": "true" }, shade ? "" : sign);
}

/** Text with its web addresses made links. */
function linked(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(from, found.index));
    parts.push(h("a", { href: found[0], target: "_blank", rel: "noopener noreferrer nofollow" }, found[0]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

const TAGS = { bold: "b", italic: "i", strike: "s", code: "code", pre: "pre" };

/** Text as its author set it. `marks`: [kind, start, end], those of a kind apart, none within code. */
function set(text, marks) {
  const borders = [...new Set([0, text.length, ...marks.flatMap(([, start, end]) => [start, end])])]
    .filter((at) => at <= text.length)
    .sort((one, other) => one - other);
  return borders.slice(1).flatMap((end, place) => {
    const start = borders[place];
    const kinds = marks.filter(([kind, from, to]) => kind in TAGS && from <= start && end <= to);
    const literal = kinds.some(([kind]) => kind === "code" || kind === "pre");
    const words = text.slice(start, end);
    return kinds.reduce((inside, [kind]) => [h(TAGS[kind], null, inside)], literal ? [words] : linked(words));
  });
}

/** The beginning of a text that is too long to show at once, or null. */
function opening(text) {
  let end = Math.min(text.length, SIGNS);
  for (let line = 0, at = -1; line < LINES; line += 1) {
    at = text.indexOf("\n", at + 1);
    if (at < 0 || at > end) break;
    if (line === LINES - 1) end = at;
  }
  if (text.length - end < 200) return null;
  if (/[\uD800-\uDBFF]/.test(text[end - 1])) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

/** Somebody's text in an element; long ones are folded. `open` remembers over redraws which were unfolded. */
function prose(tag, className, text, place, open, marks = []) {
  const short = opening(text);
  const node = h(tag, { class: className, dir: "auto" });
  if (short === null) {
    node.append(...set(text, marks));
    return [node];
  }
  const toggle = h("button", { type: "button", class: "unfold", onclick: () => flip(!open.has(place)) });
  const flip = (all) => {
    open[all ? "add" : "delete"](place);
    node.replaceChildren(...set(all ? text : short, marks));
    toggle.textContent = t(all ? "page.text.less" : "page.text.all");
    toggle.setAttribute("aria-expanded", String(all));
  };
  flip(open.has(place));
  return [node, toggle];
}

function paragraph(block, place, open) {
  if (block.style !== "title") return prose("p", `text ${block.style}`, block.text, place, open, block.marks);
  const { mark, rest } = splitMark(block.text);
  const nodes = prose("h3", "text title", rest, place, open);
  const sign = markOf(mark);
  if (sign) nodes[0].prepend(sign);
  return nodes;
}

function facts(block) {
  const rows = block.rows.map(([name, value]) => h(
    "div",
    { class: name.length > LABEL ? "long" : null },
    h("dt", { dir: "auto" }, name),
    h("dd", { dir: "auto" }, ...linked(value)),
  ));
  return [h("dl", { class: "facts" }, rows)];
}

function attachment(block) {
  const target = { href: block.url, target: "_blank", rel: "noopener" };
  if (PICTURES.has(block.mime)) {
    const picture = h("img", { src: block.url, alt: block.name, loading: "lazy", decoding: "async" });
    const link = h("a", { ...target, class: "picture", title: `${block.name} · ${block.size_text}` }, picture);
    picture.addEventListener("error", () => link.replaceWith(...attachment({ ...block, mime: "" })));
    return [link];
  }
  const name = h("span", { class: "file-name", dir: "auto" }, block.name);
  const link = { ...target, class: "file", download: block.name };
  return [h(
    "a",
    link,
    icon("file"),
    h("span", { class: "file-words" }, name, h("span", { class: "file-size" }, block.size_text)),
  )];
}

function shown(block, place, open) {
  if (block.kind === "quote") return prose("blockquote", "text", block.text, place, open, block.marks);
  if (block.kind === "facts") return facts(block);
  if (block.kind === "attachment") return attachment(block);
  return paragraph(block, place, open);
}

/** All blocks as nodes, in order. */
export function bodyOf(blocks, open = new Set()) {
  return blocks.flatMap((block, place) => shown(block, place, open));
}
