// Who is signed in.

import { account } from "./api.js";

export const visitor = {
  person: null, // what account.get() gives
  owesFactor: false, // signed in, but a second factor is missing
};

let newest = 0;

/** Ask who is signed in, and tell the page with the event "visitor". */
export async function refresh() {
  const number = ++newest;
  const found = { person: null, owesFactor: false };
  try {
    found.person = await account.get();
  } catch (error) {
    found.owesFactor = error.type === "user_more_factors_required";
  }
  // An answer to an earlier question may come last: what it says is over.
  if (number === newest) {
    Object.assign(visitor, found);
    document.dispatchEvent(new Event("visitor"));
  }
}
