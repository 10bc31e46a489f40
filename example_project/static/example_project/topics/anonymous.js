import { account, here } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "anonymous",
  title: gettext("Anonymous"),
  about: gettext(
    "An account without an address, for a first look around. It becomes a full one by an e-mail and a password, or by a provider, and keeps all it has.",
  ),
  actions: [
    {
      title: gettext("Come in without an address"),
      run: () => account.createAnonymousSession(),
      changesVisitor: true,
    },
    {
      title: gettext("Become a full account"),
      fields: [fields.email, fields.newPassword],
      run: ({ email, password }) => account.updateEmail({ email, password }),
      changesVisitor: true,
    },
    {
      title: gettext("Become a full account by a provider"),
      fields: [fields.provider],
      run: ({ provider }) =>
        account.createOAuth2Session({
          provider,
          success: here("profile"),
          failure: here("anonymous"),
        }),
    },
  ],
};
