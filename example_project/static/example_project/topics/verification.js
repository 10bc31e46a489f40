import { account, here } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "verification",
  title: gettext("Verification"),
  about: gettext("Proves that an e-mail or a phone number is yours. Second factors need it."),
  actions: [
    {
      title: gettext("Send a link to my e-mail"),
      run: () => account.createEmailVerification({ url: here("verification") }),
    },
    {
      title: gettext("Verify the e-mail by the link"),
      fields: [fields.userId, fields.secret],
      run: ({ userId, secret }) => account.updateEmailVerification({ userId, secret }),
      changesVisitor: true,
    },
    {
      title: gettext("Send a code to my phone"),
      run: () => account.createPhoneVerification(),
      fills: ({ userId }) => ({ userId }),
    },
    {
      title: gettext("Verify the phone by the code"),
      fields: [fields.userId, fields.secretCode],
      run: ({ userId, secret }) => account.updatePhoneVerification({ userId, secret }),
      changesVisitor: true,
    },
  ],
};
