// One action: a form, the call that it makes, and what came of it.

import { element } from "./element.js";
import { refresh } from "./visitor.js";

let lastId = 0;

/**
 * An action, with its form and the place for what comes of it.
 *
 * @param {object} action
 *   title           what the button says
 *   run(values)     calls the SDK
 *   fields          what to ask for (fields.js)
 *   values          what run gets besides
 *   show(result)    an element that shows the result; without it, the answer is shown as it is
 *   fills(result)   values for fields of the topic's other forms
 *   changesVisitor  whether somebody else, or nobody, may be signed in afterwards
 *   runsAtOnce      whether to run it when the topic is opened
 * @param {object} filledIn  values that a link brought
 */
export function actionCard(action, filledIn = {}) {
  const fields = (action.fields ?? []).map((field) => fieldRow(field, filledIn[field.name]));
  const told = element("output", { class: "told" });
  const answer = element("div", { class: "answer" });
  const form = element(
    "form",
    { "aria-label": action.title },
    ...fields,
    element("code", { class: "call", dir: "ltr" }, callOf(action.run)),
    element("button", { type: "submit" }, action.title),
  );
  const card = element(
    "div",
    { class: "action", "data-call": nameOfCall(action.run) },
    form,
    told,
    answer,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") {
      return;
    }
    form.ariaBusy = "true";
    told.className = "told";
    told.textContent = gettext("One moment …");
    answer.replaceChildren();
    try {
      const result = await action.run({ ...action.values, ...valuesOf(form) });
      told.classList.add("good");
      told.textContent = gettext("Done.");
      answer.replaceChildren(action.show ? action.show(result) : asItIs(result));
      fillIn(card.closest("section"), action.fills?.(result) ?? {});
      if (action.changesVisitor) {
        await refresh();
      }
    } catch (error) {
      told.classList.add("bad");
      told.replaceChildren(...explain(error));
      form.querySelector("input, select, textarea")?.focus();
    }
    form.ariaBusy = "false";
    // For the inbox: something may have been sent.
    document.dispatchEvent(new Event("acted"));
  });
  return card;
}

/** What an error of the SDK says: status, type and message, which is English. */
export function explain({ code, type, message }) {
  const text = [code, type, message].filter(Boolean).join(" · ");
  return [gettext("Refused:"), " ", element("bdi", { lang: "en", dir: "ltr" }, text)];
}

/** The source of an action's call: what stands here is what runs. */
export function callOf(run) {
  const source = run.toString();
  return source.slice(source.indexOf("=>") + 2).replace(/\s+/g, " ").trim();
}

function nameOfCall(run) {
  return callOf(run).match(/(?:account|client)\.(\w+)/)[1];
}

/** Put values into the fields of these names. */
export function fillIn(container, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const input of container?.querySelectorAll(`[name="${CSS.escape(name)}"]`) ?? []) {
      input.value = value;
    }
  }
}

function valuesOf(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
}

function asItIs(result) {
  const json = JSON.stringify(result ?? {}, null, 2);
  return element(
    "details",
    { open: true },
    element("summary", {}, gettext("The answer")),
    element("pre", { dir: "ltr", tabindex: "0" }, json),
  );
}

function fieldRow(field, value) {
  const id = `field-${++lastId}`;
  const input = inputOf(field, id);
  if (value ?? field.value) {
    input.value = value ?? field.value;
  }
  const label = element("label", { for: id }, field.label);
  return field.type === "checkbox"
    ? element("div", { class: "tick" }, input, label)
    : element("div", { class: "field" }, label, input);
}

function inputOf({ name, type = "text", choices, optional, takesCode, ...field }, id) {
  const attributes = { id, name, required: !optional, "data-takes-code": takesCode };
  if (choices) {
    const options = choices.map(([value, text]) => element("option", { value }, text));
    return element("select", attributes, ...options);
  }
  const { autocomplete = "off", placeholder, dir } = field;
  Object.assign(attributes, { autocomplete, placeholder, dir, spellcheck: "false" });
  return type === "textarea"
    ? element("textarea", { ...attributes, rows: "4" })
    : element("input", { ...attributes, type });
}
