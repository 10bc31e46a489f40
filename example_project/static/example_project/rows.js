// Lists of sessions, identities and log entries.

import { element } from "./element.js";

/** A list with a line for each row, and a form to act on it. */
export function rows(items, describe, form) {
  if (items.length === 0) {
    return element("p", { class: "soft" }, gettext("Nothing yet."));
  }
  return element(
    "ul",
    { class: "rows" },
    ...items.map((item) => element("li", {}, line(describe(item)), form?.(item))),
  );
}

/** A moment as the visitor's language writes it. */
export function moment(iso) {
  const language = document.documentElement.lang;
  return new Date(iso).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}

function line(parts) {
  // Names and addresses may run in the other direction than the page.
  const pieces = parts.filter(Boolean).map((part) => element("bdi", {}, String(part)));
  return element("p", {}, ...pieces.flatMap((piece, index) => (index ? [" · ", piece] : [piece])));
}
