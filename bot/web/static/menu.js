// A button that opens a menu of choices, with the keys people expect of one.

import { h, icon } from "./dom.js";

let serial = 0;

/** Returns {node, open(label), isOpen(), current()}; `pick` gets the chosen entry. */
export function menuButton(label, entries, pick) {
  const id = `menu-${(serial += 1)}`;
  const items = entries.map((entry) =>
    h(
      "button",
      {
        type: "button", role: "menuitem", tabIndex: -1, class: `menu-item ${entry.style}`,
        onclick: () => choose(entry),
      },
      entry.label,
    ),
  );
  const list = h(
    "div",
    { class: "menu", role: "menu", id, popover: "manual", "aria-label": label, onkeydown: key },
    items,
  );
  const button = h(
    "button",
    {
      type: "button", class: "button more", "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": id,
      onclick: toggle, onkeydown: start,
    },
    label,
    icon("down"),
  );

  const isOpen = () => list.isConnected && list.matches(":popover-open");
  const current = () => items.find((item) => item === document.activeElement)?.textContent ?? "";

  function open(wanted = "") {
    if (!isOpen()) list.showPopover();
    button.setAttribute("aria-expanded", "true");
    place();
    (items.find((item) => item.textContent === wanted) ?? items[0]).focus();
    document.addEventListener("pointerdown", outside, true);
    addEventListener("resize", close);
  }

  function close() {
    document.removeEventListener("pointerdown", outside, true);
    removeEventListener("resize", close);
    if (isOpen()) list.hidePopover();
    button.setAttribute("aria-expanded", "false");
  }

  function outside(event) {
    if (!list.contains(event.target) && !button.contains(event.target)) close();
  }

  function toggle() {
    if (isOpen()) close();
    else open();
  }

  function choose(entry) {
    close();
    button.focus();
    pick(entry);
  }

  function place() {
    const edge = 8;
    const box = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = list;
    const below = box.bottom + 4 + height + edge <= innerHeight || box.top < height + edge;
    list.style.left = `${Math.max(edge, Math.min(box.left, innerWidth - width - edge))}px`;
    list.style.top = `${below ? box.bottom + 4 : box.top - height - 4}px`;
  }

  function start(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    open(event.key === "ArrowUp" ? items.at(-1).textContent : "");
  }

  function key(event) {
    const at = items.indexOf(document.activeElement);
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key in steps) items[(steps[event.key] + items.length) % items.length].focus();
    else if (event.key === "Escape") {
      close();
      button.focus();
    } else if (event.key === "Tab") return close();
    else if (/^\S$/u.test(event.key) && !event.ctrlKey && !event.metaKey) letter(event.key, at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function letter(sign, at) {
    const order = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    order.find((item) => item.textContent.toLowerCase().startsWith(sign.toLowerCase()))?.focus();
  }

  return { node: h("span", { class: "menu-holder" }, button, list), open, isOpen, current };
}
