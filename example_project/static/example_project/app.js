// The page: which topics there are for whom, and which of them is open.

import { actionCard, explain } from "./action.js";
import { account } from "./api.js";
import { element } from "./element.js";
import "./inbox.js";
import anonymous from "./topics/anonymous.js";
import closing from "./topics/closing.js";
import emailCode from "./topics/email-code.js";
import identities from "./topics/identities.js";
import logs from "./topics/logs.js";
import magicUrl from "./topics/magic-url.js";
import mfa from "./topics/mfa.js";
import oauth2 from "./topics/oauth2.js";
import preferences from "./topics/preferences.js";
import profile from "./topics/profile.js";
import recovery from "./topics/recovery.js";
import secondFactor from "./topics/second-factor.js";
import sessions from "./topics/sessions.js";
import signIn from "./topics/sign-in.js";
import signUp from "./topics/sign-up.js";
import smsCode from "./topics/sms-code.js";
import verification from "./topics/verification.js";
import { refresh, visitor } from "./visitor.js";

const WAYS_IN = [signUp, signIn, anonymous, magicUrl, emailCode, smsCode, oauth2, recovery];
const OWN_ACCOUNT = [
  profile,
  verification,
  preferences,
  mfa,
  secondFactor,
  sessions,
  oauth2,
  identities,
  logs,
  closing,
];

const place = document.getElementById("topic");
let open;

function topicsForVisitor() {
  if (visitor.owesFactor) {
    return [secondFactor];
  }
  return visitor.person ? OWN_ACCOUNT : WAYS_IN;
}

function drawNavigation() {
  const links = topicsForVisitor().map(({ id, title }) =>
    element("a", { href: `#${id}`, "aria-current": id === open && "true" }, title),
  );
  document.getElementById("topics").replaceChildren(...links);
}

function drawVisitor() {
  const { person, owesFactor } = visitor;
  const who = document.getElementById("who");
  if (owesFactor) {
    who.replaceChildren(gettext("Signed in, but a second factor is missing."));
  } else if (person) {
    const name = person.name || person.email || person.phone || person.$id;
    who.replaceChildren(`${gettext("Signed in:")} `, element("bdi", {}, name));
  } else {
    who.replaceChildren(gettext("Nobody is signed in."));
  }
  if (person || owesFactor) {
    const leave = element("button", { type: "button", id: "sign-out" }, gettext("Sign out"));
    leave.addEventListener("click", signOut);
    who.append(" ", leave);
  }
}

async function signOut() {
  // Refused where the session has ended already.
  await account.deleteSession({ sessionId: "current" }).catch(() => {});
  await refresh();
  goTo(signIn.id);
}

function findTopic(id) {
  return [...WAYS_IN, ...OWN_ACCOUNT].find((topic) => topic.id === id);
}

/** Open a topic afresh, as the address says too. */
function goTo(id, values) {
  history.replaceState(null, "", `/#${id}`);
  show(id, values);
}

/** Open a topic, with the values that a link brought. */
function show(id, values = {}) {
  const topic = findTopic(id);
  open = id;
  const cards = topic.actions.map((action) => actionCard(action, values));
  const heading = element("h2", { tabindex: "-1" }, topic.title);
  const about = element("p", {}, topic.about);
  const attributes = { id, "aria-label": topic.title };
  place.replaceChildren(element("section", attributes, heading, about, ...cards));
  drawNavigation();
  if (values.error) {
    const problem = explain(parsed(values.error));
    heading.after(element("p", { class: "told bad", role: "alert" }, ...problem));
  }
  const forms = cards.map((card) => card.querySelector("form"));
  const waiting = values.secret && forms.find((form) => form.elements.secret);
  (waiting ? waiting.querySelector("button") : heading).focus();
  forms.forEach((form, index) => topic.actions[index].runsAtOnce && form.requestSubmit());
}

function parsed(error) {
  try {
    return JSON.parse(error);
  } catch {
    return { message: error };
  }
}

document.addEventListener("visitor", () => {
  drawVisitor();
  drawNavigation();
  if (visitor.owesFactor && open !== secondFactor.id) {
    goTo(secondFactor.id);
  }
});

window.addEventListener("hashchange", () => {
  const id = location.hash.slice(1);
  if (findTopic(id)) {
    show(id);
  }
});

document.getElementById("waiting").remove();
const { topic, ...values } = Object.fromEntries(new URLSearchParams(location.search));
// A link leads to ?topic=…&secret=…: the secret is not to stay in the address bar.
history.replaceState(null, "", `/${location.hash}`);
await refresh();
if (topic || open === undefined) {
  const wanted = findTopic(topic ?? location.hash.slice(1));
  goTo((wanted ?? topicsForVisitor()[0]).id, values);
}
