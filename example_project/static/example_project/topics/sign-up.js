import { account, ID } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "sign-up",
  title: gettext("Sign up"),
  about: gettext("Makes an account. It does not sign in yet."),
  actions: [
    {
      title: gettext("Sign up"),
      fields: [fields.email, fields.newPassword, fields.name],
      run: ({ email, password, name }) =>
        account.create({ userId: ID.unique(), email, password, name }),
    },
  ],
};
