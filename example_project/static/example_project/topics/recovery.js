import { account, here } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "recovery",
  title: gettext("Forgotten password"),
  about: gettext("A link by e-mail, and behind it a new password."),
  actions: [
    {
      title: gettext("Send the link"),
      fields: [fields.email],
      run: ({ email }) => account.createRecovery({ email, url: here("recovery") }),
    },
    {
      title: gettext("Set the new password"),
      fields: [fields.userId, fields.secret, fields.newPassword],
      run: ({ userId, secret, password }) => account.updateRecovery({ userId, secret, password }),
      changesVisitor: true,
    },
  ],
};
