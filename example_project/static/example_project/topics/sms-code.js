import { account, ID } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "sms-code",
  title: gettext("SMS code"),
  about: gettext("Six digits by SMS sign in, and sign up anybody who is new."),
  actions: [
    {
      title: gettext("Send the code"),
      fields: [fields.phone],
      run: ({ phone }) => account.createPhoneToken({ userId: ID.unique(), phone }),
      fills: ({ userId }) => ({ userId }),
    },
    {
      title: gettext("Sign in by the code"),
      fields: [fields.userId, fields.secretCode],
      run: ({ userId, secret }) => account.createSession({ userId, secret }),
      changesVisitor: true,
    },
  ],
};
