// A real OpenID provider for the live tests: the certified oidc-provider, with its own login and
// consent pages. Whoever logs in as NAME is a person with the address NAME@example.org, which the
// provider vouches for unless the name begins with "unverified".
//
// The working directory is where the packages are installed.
//   ISSUER        its address, with a port
//   CLIENT        {client_id, client_secret, redirect_uris}

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const { ISSUER, CLIENT } = process.env;

const provider = new Provider(ISSUER, {
  clients: [
    {
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      ...JSON.parse(CLIENT),
    },
  ],
  claims: { email: ["email", "email_verified"], profile: ["name"] },
  cookies: { keys: ["tests only"] },
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.org`,
      email_verified: !id.startsWith("unverified"),
      name: `${id} of the provider`,
    }),
  }),
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  renderError: (context, out, error) => {
    console.error(error);
    context.type = "txt";
    context.body = JSON.stringify(out);
  },
});

provider.listen(new URL(ISSUER).port, "127.0.0.1", () => console.log("ready"));
