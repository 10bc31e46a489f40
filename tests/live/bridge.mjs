// Drives the official SDKs for the tests: a JSON request a line in, its JSON answer a line out.
//
// The working directory is where the packages are installed. Requests are handled one by one:
//   {op: "open", kind: "web" | "node", endpoint, project}            -> number of the client
//   {op: "open", kind: "chromium", endpoint, project, origin}        -> the same, in a new profile
//   {op: "call", client, target: "account" | "users" | "client" | "ID" | "Query", method, args}
//   {op: "userMethods", client}         names of the methods of Users, in Node.js only
//   {op: "visit", client, origin}       the browser profile of a client goes to another page
//   {op: "evaluate", client, script}    run a script in the client's page
//   {op: "cookies", client}             names of the profile's cookies
//   {op: "leave", client, script}       run a script that leads the page away
//   {op: "consent", client, login, landing}  log in at the OpenID provider, consent, wait until the
//                                       page's address begins with the landing; the address
//   {op: "decline", client, landing}    the same, but cancel
//   {op: "go", client, url, landing}    go to an address as a link does, and wait likewise
//   {op: "close", client}

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { callMethod, openClient } from "./caller.mjs";

const require = createRequire(join(process.cwd(), "package.json"));

const CHROMIUM_FLAGS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP evil.test 127.0.0.1",
  "--no-first-run",
  "--no-proxy-server",
  "--no-sandbox",
];

/** What the Web SDK needs of a browser to remember a session: localStorage. */
function windowWithStorage() {
  const stored = new Map();
  return {
    console: { warn() {} },
    localStorage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => stored.set(key, value),
    },
  };
}

/** An SDK in this process. */
class NodeClient {
  constructor({ kind, endpoint, project }) {
    this.window = kind === "web" ? windowWithStorage() : undefined;
    this.opened = openClient(require(kind === "web" ? "appwrite" : "node-appwrite"), endpoint, project);
  }

  call({ target, method, args }) {
    // Each client of the Web SDK is a browser of its own.
    globalThis.window = this.window;
    return callMethod(this.opened, target, method, args);
  }

  userMethods() {
    const { constructor, ...methods } = Object.getOwnPropertyDescriptors(
      Object.getPrototypeOf(this.opened.users),
    );
    return { value: Object.keys(methods) };
  }

  close() {}
}

/** The Web SDK in a page in Chromium, with cookies and storage of its own. */
class PageClient {
  static browser;
  // A profile takes long to open, so it is emptied and used again.
  static idle = [];

  static async open(request) {
    PageClient.browser ??= await require("playwright-core").chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: CHROMIUM_FLAGS,
    });
    const client = new PageClient();
    client.endpoint = [request.endpoint, request.project];
    client.context = PageClient.idle.pop() ?? (await PageClient.browser.newContext());
    client.page = client.context.pages()[0] ?? (await client.context.newPage());
    await client.visit(request);
    client.home = request.origin;
    return client;
  }

  /** Go to the page at an origin, unless it is there. */
  async visit({ origin }) {
    if (new URL(this.page.url()).origin !== origin) {
      await this.page.goto(origin);
    }
    await this.page.waitForFunction("window.openClient");
    await this.page.evaluate((endpoint) => window.openClient(...endpoint), this.endpoint);
  }

  call({ target, method, args }) {
    return this.page.evaluate((call) => window.callMethod(...call), [target, method, args]);
  }

  async evaluate({ script }) {
    return { value: (await this.page.evaluate(script)) ?? null };
  }

  async leave({ script }) {
    await this.page.evaluate(`setTimeout(() => { ${script} }, 0)`);
  }

  async consent({ login, landing }) {
    await this.page.fill("input[name=login]", login);
    await this.page.fill("input[name=password]", "any");
    await this.page.click("button[type=submit]");
    await this.page.click("text=Continue");
    return this.landed(landing);
  }

  async decline({ landing }) {
    await this.page.click("text=Cancel");
    return this.landed(landing);
  }

  async go({ url, landing }) {
    // An app's own scheme leads nowhere in a browser.
    await this.page.goto(url).catch(() => {});
    return this.landed(landing);
  }

  async landed(landing) {
    // Our page for native apps leads on before it has loaded.
    const isThere = (url) => url.href.startsWith(landing);
    await this.page.waitForURL(isThere, { waitUntil: "commit" }).catch((error) => {
      throw new Error(`at ${this.page.url()} rather than ${landing}`, { cause: error });
    });
    return { value: this.page.url() };
  }

  async cookies() {
    return { value: (await this.context.cookies()).map((cookie) => cookie.name) };
  }

  async close() {
    if (new URL(this.page.url()).origin !== this.home) {
      // What it stored elsewhere is out of reach.
      await this.context.close();
      return;
    }
    await this.context.clearCookies();
    await this.page.evaluate("localStorage.clear()");
    PageClient.idle.push(this.context);
  }
}

const clients = [];

async function answer(request) {
  if (request.op === "open") {
    const inPage = request.kind === "chromium";
    clients.push(inPage ? await PageClient.open(request) : new NodeClient(request));
    return { value: clients.length - 1 };
  }
  return (await clients[request.client][request.op](request)) ?? { value: null };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answered = await answer(JSON.parse(line)).catch((error) => ({
    broken: String(error.stack),
  }));
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
await PageClient.browser?.close();
