import { account } from "../api.js";

export default {
  id: "preferences",
  title: gettext("Preferences"),
  about: gettext("Whatever the app wants to remember about a person, as JSON."),
  actions: [
    {
      title: gettext("Show my preferences"),
      run: () => account.getPrefs(),
      fills: (prefs) => ({ prefs: JSON.stringify(prefs) }),
      runsAtOnce: true,
    },
    {
      title: gettext("Save the preferences"),
      fields: [{ name: "prefs", label: gettext("Preferences as JSON"), type: "textarea", dir: "ltr" }],
      run: ({ prefs }) => account.updatePrefs({ prefs: JSON.parse(prefs) }),
    },
  ],
};
