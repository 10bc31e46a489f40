import { account, here, ID } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "magic-url",
  title: gettext("Magic URL"),
  about: gettext("A link by e-mail signs in, and signs up anybody who is new. It leads back to this page."),
  actions: [
    {
      title: gettext("Send the link"),
      fields: [fields.email],
      run: ({ email }) =>
        account.createMagicURLToken({ userId: ID.unique(), email, url: here("magic-url") }),
    },
    {
      title: gettext("Sign in by the link"),
      fields: [fields.userId, fields.secret],
      run: ({ userId, secret }) => account.createSession({ userId, secret }),
      changesVisitor: true,
    },
  ],
};
