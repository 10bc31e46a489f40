import { account, ID } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "email-code",
  title: gettext("E-mail code"),
  about: gettext(
    "Six digits by e-mail sign in, and sign up anybody who is new. The phrase in the answer stands in the mail too, so that people know it is yours.",
  ),
  actions: [
    {
      title: gettext("Send the code"),
      fields: [fields.email],
      run: ({ email }) =>
        account.createEmailToken({ userId: ID.unique(), email, phrase: true }),
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
