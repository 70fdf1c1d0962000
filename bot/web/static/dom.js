// Builds elements; text always goes in as text, never as markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "multiple", "required", "tabIndex"]);
const SVG = "http://www.w3.org/2000/svg";

/** An element with properties, attributes, `on…` listeners and children (nullish and false ones are left out). */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) set(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (PROPERTIES.has(name)) node[name] = value;
  else if (value === true) node.setAttribute(name, "");
  else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
}

const PATHS = {
  attach: ["M20 11.5 12.3 19a5 5 0 0 1-7-7l8-8a3.3 3.3 0 0 1 4.7 4.7l-8 8a1.7 1.7 0 0 1-2.4-2.4l7.3-7.3"],
  send: ["M5 12 19 5l-4.5 14-3-6z", "M11.5 13 19 5"],
  back: ["M15 5l-7 7 7 7"],
  down: ["M6 9l6 6 6-6"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  check: ["M5 12.5 10 17.5 19 7"],
  edit: ["M4 20h4L19 9l-4-4L4 16z", "M13 7l4 4"],
  reply: ["M9 6 4 11l5 5", "M4 11h9a7 7 0 0 1 7 7v1"],
  search: ["M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13z", "M15.5 15.5 20 20"],
  file: ["M7 3h7l5 5v13H7z", "M14 3v5h5"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  eye: ["M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6z", "M12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"],
  clock: ["M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z", "M12 8v4l3 2"],
  bell: ["M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15z", "M10 20.5h4"],
  alert: ["M12 4 21 19H3z", "M12 10v4", "M12 16.5v.5"],
  out: ["M10 5H5v14h14v-5", "M14 4h6v6", "M20 4l-9 9"],
  desk: ["M4 15a8 8 0 0 1 16 0", "M4 15v4", "M20 15v4", "M4 15h16", "M9 9v6", "M15 9v6", "M12 7.2V15"],
};

/** A line icon, hidden from screen readers: the words beside it speak. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A button that shows an icon and says `label`. */
export function iconButton(name, label, onclick, extra = {}) {
  const classes = `icon-button ${extra.class ?? ""}`.trim();
  return h(
    "button",
    { type: "button", "aria-label": label, title: label, onclick, ...extra, class: classes },
    icon(name),
  );
}

/** Calls `run` once, soon, however often it was asked for. */
export function soon(run) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      run();
    }, 0);
  };
}

const touch = matchMedia("(hover: none) and (pointer: coarse)");

/** Whether fingers type here: Enter makes a new line and focus is never taken, since it raises the keyboard. */
export function fingers() {
  return touch.matches;
}

/** Says something to screen readers only. */
export function announce(text) {
  let region = document.getElementById("announcer");
  if (!region) {
    region = h("div", { id: "announcer", class: "unseen", role: "status" });
    document.body.append(region);
  }
  region.textContent = text;
}
