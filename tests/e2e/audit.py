"""Looks over a page as somebody would who cannot see it well: names, headings, language, contrast."""

from playwright.sync_api import Frame

_PROBLEMS = """
() => {
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const all = (wanted) => [...document.querySelectorAll(wanted)].filter(shown);
  const words = (node) => node.textContent.trim().slice(0, 30);
  const tell = (node) => `<${node.localName} class="${node.className}"> ${words(node)}`;
  const problems = [];
  const must = (fine, what, node) => fine || problems.push(`${what}: ${node ? tell(node) : ""}`);

  const nameOf = (node) => (node.getAttribute("aria-label") || node.textContent.trim()
    || [...(node.labels ?? [])].map((label) => label.textContent.trim()).join(" ") || node.title || "");
  for (const node of all("button, a[href], input:not([hidden]), textarea, select, iframe, dialog, [role]")) {
    if (node.matches("[role=none], [role=alert], [role=status]")) continue;
    const by = document.getElementById(node.getAttribute("aria-labelledby") ?? "");
    must(nameOf(node) || by?.textContent, "has no name", node);
  }
  must(document.querySelectorAll("h1").length === 1, "not exactly one h1");
  must(document.querySelectorAll("main").length === 1, "not exactly one main");
  must(document.title, "no title");
  for (const node of all("img")) must(node.hasAttribute("alt"), "a picture without words", node);
  for (const node of all("[role=log]")) must(node.ariaLive === "polite", "a silent log", node);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  must(new Set(ids).size === ids.length, "an id twice");
  must(document.documentElement.scrollWidth <= innerWidth, "wider than the window");

  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((part, at) => part * top[3] + under[at] * (1 - top[3]));
  const ground = (node) => {
    if (!node) return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
    const own = rgba(getComputedStyle(node).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(node.parentElement));
  };
  const light = (colour) => colour.map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  for (const node of all("body *")) {
    const says = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!says || node.closest("svg, :disabled, [aria-disabled=true], .unseen, option")) continue;
    const under = ground(node);
    const [one, other] = [light(over(rgba(getComputedStyle(node).color), under)), light(under)].sort();
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    must(ratio >= 4.5, `hard to read (${ratio.toFixed(2)})`, node);
  }
  return problems;
}
"""


def problems(frame: Frame) -> list[str]:
    """What is wrong on this page as it stands."""
    found: list[str] = frame.evaluate(_PROBLEMS)
    return found
