// Drives one browser window at a time for tests/live/window.py: a JSON request a line in, its JSON
// answer a line out. The working directory is where the packages are installed.
//   {op: "open", options}        a new window with nothing remembered; options of Playwright's newContext
//   {op: "do", method, args}     a method of Playwright's Page
//   {op: "keyboard", method: "press" | "type", text}
//   {op: "text", selector}       the text of the first element, once it is there
//   {op: "download", selector}   click; the {name, text} of the file that comes
//   {op: "axe", exclude}         what axe-core finds serious or critical on the page; not in selectors
//   {op: "errors"}               scripts that failed, policies that were broken, since the last time
//   {op: "close"}                back to the window before

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.cwd(), "package.json"));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await require("playwright-core").chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-proxy-server"],
});

const windows = [];
const page = () => windows.at(-1);
let errors = [];

const operations = {
  async open({ options }) {
    const context = await browser.newContext({ reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(15_000);
    const opened = await context.newPage();
    opened.on("pageerror", (error) => errors.push(String(error)));
    opened.on("dialog", (dialog) => {
      errors.push(`a dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    // That a call is refused is for the page to tell, not for the console.
    opened.on("console", (message) => {
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        errors.push(message.text());
      }
    });
    windows.push(opened);
  },

  async do({ method, args }) {
    const result = await page()[method](...args);
    return ["string", "number", "boolean"].includes(typeof result) || method === "evaluate"
      ? result
      : null;
  },

  keyboard: ({ method, text }) => page().keyboard[method](text),

  text: ({ selector }) => page().locator(selector).first().innerText(),

  async download({ selector }) {
    const [file] = await Promise.all([page().waitForEvent("download"), page().click(selector)]);
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
  },

  async axe({ exclude }) {
    // Evaluated, not added as an element: no policy of the page forbids it.
    await page().evaluate(axe);
    const asked = `axe.run({ exclude: ${JSON.stringify(exclude)} }, { resultTypes: ["violations"] })`;
    const { violations } = await page().evaluate(asked);
    return violations
      .filter(({ impact }) => ["serious", "critical"].includes(impact))
      .map(({ id, help, nodes }) => `${id} (${help}) at ${nodes.map(({ target }) => target).join("; ")}`);
  },

  errors() {
    const told = errors;
    errors = [];
    return told;
  },

  async close() {
    await windows.pop().context().close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line);
  const answered = await Promise.resolve()
    .then(() => operations[op](request))
    .then(
      (value) => ({ value: value ?? null }),
      (error) => ({ broken: `${error.message}\n${page()?.url()}` }),
    );
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
await browser.close();
