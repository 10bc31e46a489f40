// The demo's OpenID provider: the certified oidc-provider, with a sign-in page on which anybody is
// whoever they type. It ends when its standard input closes.
//
//   ISSUER   its address, with a port
//   CLIENT   the site: {client_id, client_secret, redirect_uris}

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

import { interactionPolicy, Provider } from "oidc-provider";

const { ISSUER, CLIENT } = process.env;

// Who has signed in here, by e-mail.
const people = new Map();

const provider = new Provider(ISSUER, {
  clients: [
    {
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      ...JSON.parse(CLIENT),
    },
  ],
  claims: { email: ["email", "email_verified"], profile: ["name"] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  features: { devInteractions: { enabled: false } },
  findAccount: (context, id) => people.get(id),
  interactions: { policy: askEveryTime(), url: (context, { uid }) => `/sign-in/${uid}` },
  issueRefreshToken: () => true,
  jwks: { keys: [signingKey()] },
  loadExistingGrant: consentToEverything,
  pkce: { required: () => true },
  ttl: { AccessToken: 3600, Grant: 86400, IdToken: 3600, Interaction: 3600, Session: 86400 },
});

/** Nobody is recognised from last time: a demo is for being several people. */
function askEveryTime() {
  const policy = interactionPolicy.base();
  const ask = ({ oidc }) => !oidc.result?.login;
  policy.get("login").checks.add(
    new interactionPolicy.Check("every_time", "The demo asks every time", ask),
  );
  return policy;
}

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "demo" };
}

/** Whoever signs in consents by it. */
async function consentToEverything({ oidc }) {
  const grant = new provider.Grant({
    accountId: oidc.session.accountId,
    clientId: oidc.client.clientId,
  });
  grant.addOIDCScope("openid email profile offline_access");
  await grant.save();
  return grant;
}

function remember({ name, email, verified }) {
  const claims = { sub: email, email, email_verified: verified === "on", name: name || email };
  people.set(email, { accountId: email, claims: () => claims });
  return email;
}

async function signIn(request, response) {
  await provider.interactionDetails(request, response);
  if (request.method !== "POST") {
    response.writeHead(200, {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    });
    return response.end(PAGE);
  }
  const form = Object.fromEntries(new URLSearchParams(await text(request)));
  const email = (form.email ?? "").trim().toLowerCase();
  const result =
    form.cancel || !email
      ? { error: "access_denied", error_description: "The sign-in was cancelled." }
      : { login: { accountId: remember({ ...form, email }) } };
  return provider.interactionFinished(request, response, result);
}

async function text(request) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 10_000) throw new Error("too long");
  }
  return body;
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Demo provider: sign in</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 10vh auto; padding: 0 1rem; }
  form { display: grid; gap: 1rem; }
  label { display: grid; gap: .25rem; } label.tick { display: flex; gap: .5rem; }
  input, button { font: inherit; padding: .5rem; }
</style>
<main>
  <h1>Demo provider</h1>
  <p>An OpenID provider of its own, where you are whoever you say.</p>
  <form method="post">
    <label>Name <input name="name" value="Demo Person" autocomplete="off"></label>
    <label>E-mail <input name="email" type="email" value="person@example.org" required autocomplete="off"></label>
    <label class="tick"><input name="verified" type="checkbox" checked> The provider has verified the address</label>
    <button type="submit">Sign in</button>
    <button type="submit" name="cancel" value="1" formnovalidate>Cancel</button>
  </form>
</main>
</html>`;

const answer = provider.callback();

const server = createServer((request, response) => {
  if (!request.url.startsWith("/sign-in/")) return answer(request, response);
  return signIn(request, response).catch(() => {
    response.writeHead(400, { "Content-Type": "text/plain; charset=utf-8" });
    response.end("This sign-in has expired. Go back to the site and begin again.");
  });
});

server.listen(new URL(ISSUER).port, "127.0.0.1", () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());
