// Who is signed in.

import { account } from "./api.js";

export const visitor = {
  person: null, // what account.get() gives
  owesFactor: false, // signed in, but a second factor is missing
};

/** Ask who is signed in, and tell the page with the event "visitor". */
export async function refresh() {
  visitor.person = null;
  visitor.owesFactor = false;
  try {
    visitor.person = await account.get();
  } catch (error) {
    visitor.owesFactor = error.type === "user_more_factors_required";
  }
  document.dispatchEvent(new Event("visitor"));
}
