import { account } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "sign-in",
  title: gettext("Sign in"),
  about: gettext("By e-mail and password. Unknown and wrong are refused alike."),
  actions: [
    {
      title: gettext("Sign in"),
      fields: [fields.email, fields.password],
      run: ({ email, password }) => account.createEmailPasswordSession({ email, password }),
      changesVisitor: true,
    },
  ],
};
