import { account } from "../api.js";
import * as fields from "../fields.js";

const FACTORS = [
  ["totp", gettext("Authenticator app")],
  ["email", gettext("E-mail")],
  ["phone", gettext("SMS")],
  ["recoverycode", gettext("Recovery code")],
];

export default {
  id: "second-factor",
  title: gettext("Give a second factor"),
  about: gettext("Asked for at sign-in once the second factor is on, and as a fresh proof."),
  actions: [
    {
      title: gettext("Begin a challenge"),
      fields: [{ name: "factor", label: gettext("Second factor"), choices: FACTORS }],
      run: ({ factor }) => account.createMFAChallenge({ factor }),
      fills: (challenge) => ({ challengeId: challenge.$id }),
    },
    {
      title: gettext("Answer the challenge"),
      fields: [
        { name: "challengeId", label: gettext("Challenge ID"), dir: "ltr" },
        fields.otp,
      ],
      run: ({ challengeId, otp }) => account.updateMFAChallenge({ challengeId, otp }),
      changesVisitor: true,
    },
  ],
};
