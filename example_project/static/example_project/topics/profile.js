import { account } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "profile",
  title: gettext("Profile"),
  about: gettext("Name, e-mail, phone and password. Changing an address needs the password."),
  actions: [
    {
      title: gettext("Show my account"),
      run: () => account.get(),
      runsAtOnce: true,
    },
    {
      title: gettext("Change the name"),
      fields: [fields.name],
      run: ({ name = "" }) => account.updateName({ name }),
      changesVisitor: true,
    },
    {
      title: gettext("Change the e-mail"),
      fields: [fields.email, fields.password],
      run: ({ email, password }) => account.updateEmail({ email, password }),
      changesVisitor: true,
    },
    {
      title: gettext("Change the phone number"),
      fields: [fields.phone, fields.password],
      run: ({ phone, password }) => account.updatePhone({ phone, password }),
      changesVisitor: true,
    },
    {
      title: gettext("Change the password"),
      fields: [
        { ...fields.password, name: "oldPassword", label: gettext("Old password"), optional: true },
        fields.newPassword,
      ],
      run: ({ password, oldPassword }) => account.updatePassword({ password, oldPassword }),
    },
  ],
};
