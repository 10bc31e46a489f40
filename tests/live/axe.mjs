// Looks at pages in Chromium, at several widths, by day and by night; asks axe-core about each.
//
// The working directory is where the packages are installed. One JSON document in:
//   {pages: [address], cookies: {name: value}, widths: [px], schemes: ["light" | "dark"],
//    csp: a Content-Security-Policy that pages get | null, pictures: a directory | null}
// and a list out, for each page, width and scheme:
//   {page, width, scheme, landed, status, problems: [text], overflow: px, errors: [text]}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const require = createRequire(join(process.cwd(), "package.json"));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const SERIOUS = ["serious", "critical"];
const HEIGHT = 900;

/** What axe-core finds serious or critical, one line each. */
async function problems(page) {
  // Evaluated, not added as an element: no policy of the page forbids it.
  await page.evaluate(axe);
  // Django's own: links in its admin that only a colour tells, a search without a visible label.
  const context = "{ exclude: ['.breadcrumbs', '#toolbar'] }";
  const { violations } = await page.evaluate(
    `axe.run(${context}, { resultTypes: ["violations"] })`,
  );
  return violations
    .filter(({ impact }) => SERIOUS.includes(impact))
    .map(({ impact, id, help, nodes }) => {
      const places = nodes.map(({ target, any }) => [target.join(" "), any[0]?.message].filter(Boolean).join(": "));
      return `${impact}: ${id} (${help}) at ${places.join("; ")}`;
    });
}

async function look(context, address, width, scheme, pictures) {
  const page = await context.newPage();
  const errors = [];
  page.on("console", (message) => {
    // What a browser asks for on its own.
    const isIcon = message.location().url.endsWith("/favicon.ico");
    if (message.type() === "error" && !isIcon) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  const response = await page.goto(address, { waitUntil: "load" });
  const looked = {
    page: address,
    width,
    scheme,
    landed: page.url(),
    status: response.status(),
    overflow: await page.evaluate("document.documentElement.scrollWidth - innerWidth"),
  };
  if (pictures) {
    const name = new URL(address).pathname.replace(/\W+/g, "-").replace(/^-|-$/g, "");
    await page.screenshot({ path: join(pictures, `${name}-${width}-${scheme}.png`), fullPage: true });
  }
  looked.problems = await problems(page);
  // A broken page repeats itself.
  looked.errors = [...new Set(errors)].slice(0, 5);
  await page.close();
  return looked;
}

const asked = JSON.parse(await text(process.stdin));
const browser = await require("playwright-core").chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-proxy-server"],
});
const answers = [];
for (const scheme of asked.schemes) {
  for (const width of asked.widths) {
    const context = await browser.newContext({
      colorScheme: scheme,
      viewport: { width, height: HEIGHT },
      // Nothing half faded in.
      reducedMotion: "reduce",
    });
    const { origin } = new URL(asked.pages[0]);
    await context.addCookies(
      Object.entries(asked.cookies).map(([name, value]) => ({ name, value, url: origin })),
    );
    if (asked.csp) {
      await context.route("**/*", async (route) => {
        const response = await route.fetch({ maxRedirects: 0 });
        const headers = { ...response.headers(), "content-security-policy": asked.csp };
        await route.fulfill({ response, headers });
      });
    }
    for (const address of asked.pages) {
      answers.push(await look(context, address, width, scheme, asked.pictures));
    }
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(answers));
