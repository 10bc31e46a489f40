import { account } from "../api.js";
import { element } from "../element.js";
import * as fields from "../fields.js";
import { qrCode } from "../qr.js";

function enrolment({ uri, secret }) {
  return element(
    "div",
    {},
    qrCode(uri, gettext("QR code for an authenticator app")),
    element("p", {}, `${gettext("Or type this into the app:")} `, element("code", { dir: "ltr" }, secret)),
  );
}

function codes({ recoveryCodes }) {
  return element(
    "div",
    {},
    element("p", {}, gettext("Write these down. Each is good for one sign-in.")),
    element("ul", { class: "codes", dir: "ltr" }, ...recoveryCodes.map((code) => element("li", {}, code))),
  );
}

export default {
  id: "mfa",
  title: gettext("Set up second factors"),
  about: gettext(
    "Add an authenticator app, write down the recovery codes, then switch the second factor on. “Needs a proof” means a second factor given within the last half hour.",
  ),
  actions: [
    {
      title: gettext("Add an authenticator app"),
      run: () => account.createMFAAuthenticator({ type: "totp" }),
      show: enrolment,
    },
    {
      title: gettext("Confirm the app by one of its codes"),
      fields: [fields.otp],
      run: ({ otp }) => account.updateMFAAuthenticator({ type: "totp", otp }),
      changesVisitor: true,
    },
    {
      title: gettext("Make recovery codes"),
      run: () => account.createMFARecoveryCodes(),
      show: codes,
    },
    {
      title: gettext("Switch the second factor on"),
      run: () => account.updateMFA({ mfa: true }),
      changesVisitor: true,
    },
    {
      title: gettext("Which factors do I have?"),
      run: () => account.listMFAFactors(),
    },
    {
      title: gettext("Show the recovery codes (needs a proof)"),
      run: () => account.getMFARecoveryCodes(),
      show: codes,
    },
    {
      title: gettext("Make new recovery codes (needs a proof)"),
      run: () => account.updateMFARecoveryCodes(),
      show: codes,
    },
    {
      title: gettext("Remove the authenticator app (needs a proof)"),
      run: () => account.deleteMFAAuthenticator({ type: "totp" }),
      changesVisitor: true,
    },
    {
      title: gettext("Switch the second factor off"),
      run: () => account.updateMFA({ mfa: false }),
      changesVisitor: true,
    },
  ],
};
