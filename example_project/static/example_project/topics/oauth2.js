import { account, here } from "../api.js";
import * as fields from "../fields.js";

export default {
  id: "oauth2",
  title: gettext("OAuth2 provider"),
  about: gettext(
    "The provider “oidc” is the demo’s own, where you are whoever you say. Whoever is signed in already links an identity by it.",
  ),
  actions: [
    {
      // The browser comes back signed in.
      title: gettext("Sign in by the provider, with a session"),
      fields: [fields.provider],
      run: ({ provider }) =>
        account.createOAuth2Session({
          provider,
          success: here("identities"),
          failure: here("oauth2"),
        }),
    },
    {
      // For pages on other sites, which cookies do not reach: the browser comes back with a token.
      title: gettext("Sign in by the provider, with a token"),
      fields: [fields.provider],
      run: ({ provider }) =>
        account.createOAuth2Token({
          provider,
          success: here("oauth2"),
          failure: here("oauth2"),
        }),
    },
    {
      title: gettext("Exchange the token for a session"),
      fields: [fields.userId, fields.secret],
      run: ({ userId, secret }) => account.createSession({ userId, secret }),
      changesVisitor: true,
    },
  ],
};
