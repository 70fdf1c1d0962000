// A form of a few fields in a dialog; what was typed is kept until it is sent, even when the dialog is closed.

import { fingers, h, iconButton } from "./dom.js";
import { t } from "./words.js";

const FEW = 7;
const drafts = new Map();
let serial = 0;

/** Opens `form`; `send(values)` may throw an Error whose message is shown. `where` tells drafts apart. */
export function openForm(form, where, send) {
  const place = `${where}/${form.title}`;
  const draft = drafts.get(place) ?? {};
  const fields = form.fields.map((field) => fieldOf(field, draft[field.name] ?? ""));
  const values = () => Object.fromEntries(fields.map((field) => [field.name, field.value()]));
  const id = `form-${(serial += 1)}`;
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "button primary" }, form.submit);
  const cancel = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("page.cancel"));
  const body = h(
    "form",
    { novalidate: true, onsubmit: sent, oninput: () => drafts.set(place, values()), onkeydown: hasty },
    h(
      "header",
      { class: "dialog-head" },
      h("h2", { id, dir: "auto" }, form.title),
      iconButton("close", t("page.close"), () => dialog.close()),
    ),
    h("div", { class: "dialog-body" }, fields.map((field) => field.node), trouble),
    h("footer", { class: "dialog-foot" }, cancel, submit),
  );
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": id, onclose: () => dialog.remove(), onpointerdown: backdrop },
    body,
  );

  function backdrop(event) {
    if (event.target === dialog) dialog.close();
  }

  function hasty(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) body.requestSubmit();
  }

  async function sent(event) {
    event.preventDefault();
    if (submit.classList.contains("busy")) return;
    const wrong = fields.filter((field) => !field.check());
    if (wrong.length) return wrong[0].focus();
    busy(true);
    try {
      await send(values());
      drafts.delete(place);
      dialog.close();
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
    busy(false);
  }

  function busy(is) {
    submit.classList.toggle("busy", is);
    submit.setAttribute("aria-disabled", String(is));
    if (is) trouble.hidden = true;
  }

  document.body.append(dialog);
  dialog.showModal();
  if (!fingers()) fields[0]?.focus();
}

function fieldOf(field, value) {
  const id = `field-${(serial += 1)}`;
  const wrong = h("p", { class: "trouble", id: `${id}-wrong`, hidden: true }, t("page.form.required"));
  const hint = field.hint ? h("p", { class: "hint", id: `${id}-hint` }, field.hint) : null;
  const common = {
    id, name: field.name, "aria-describedby": `${id}-hint ${id}-wrong`, "aria-required": String(field.required),
  };
  const make = field.kind === "choice" ? choice : text;
  const made = make(field, value, common);
  const title = [field.label, field.required ? null : h("span", { class: "optional" }, ` ${t("page.form.optional")}`)];
  const node = made.group
    ? h("fieldset", { class: "field" }, h("legend", null, title), made.node, hint, wrong)
    : h("div", { class: "field" }, h("label", { for: id }, title), made.node, hint, wrong);
  node.addEventListener("input", () => tell(true));

  function tell(fine) {
    wrong.hidden = fine;
    for (const input of made.inputs) input.setAttribute("aria-invalid", String(!fine));
  }

  return {
    name: field.name,
    node,
    value: made.value,
    focus: () => (made.inputs.find((input) => input.checked) ?? made.inputs[0])?.focus(),
    check() {
      const fine = !field.required || made.value().trim() !== "";
      tell(fine);
      return fine;
    },
  };
}

function text(field, value, common) {
  const input = field.long
    ? h("textarea", { ...common, rows: 5, value, dir: "auto" })
    : h("input", { ...common, type: "text", value, dir: "auto", autocomplete: "off" });
  return { node: input, inputs: [input], value: () => input.value };
}

function choice(field, value, common) {
  const options = field.required ? field.options : [{ value: "", label: t("page.form.none") }, ...field.options];
  if (options.length > FEW) {
    const lead = field.required ? [h("option", { value: "" }, t("page.form.choose"))] : [];
    const select = h(
      "select",
      common,
      lead,
      options.map((option) => h("option", { value: option.value }, option.label)),
    );
    select.value = value;
    return { node: select, inputs: [select], value: () => select.value };
  }
  const inputs = options.map((option) =>
    h(
      "input",
      {
        type: "radio", name: common.id, value: option.value, checked: option.value === value,
        "aria-describedby": common["aria-describedby"],
      },
    ),
  );
  const labels = inputs.map((input, at) => h(
    "label",
    { class: "option" },
    input,
    h("span", { dir: "auto" }, options[at].label),
  ));
  const node = h("div", { class: "options" }, labels);
  return { node, inputs, group: true, value: () => inputs.find((input) => input.checked)?.value ?? "" };
}
