import { account, client } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "closing",
  title: gettext("Close the account"),
  about: gettext("Blocking ends all sessions, and only staff let you in again. Deleting is final."),
  actions: [
    {
      title: gettext("Block my account"),
      fields: [fields.sure],
      run: () => account.updateStatus(),
      changesVisitor: true,
    },
    {
      // The Web SDK has no method of its own for it.
      title: gettext("Delete my account"),
      fields: [fields.sure],
      run: () => client.call("delete", new URL(`${client.config.endpoint}/account`)),
      changesVisitor: true,
    },
  ],
};
