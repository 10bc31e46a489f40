// The inbox: shows what has arrived, and puts codes into forms.

const list = document.getElementById("messages");
const arrived = document.getElementById("arrived");

// Messages go out beside the request, so we look more than once: milliseconds after an act.
const LOOKS = [0, 300, 1000, 3000, 8000];

let shown = "";

async function look() {
  const response = await fetch(list.dataset.url).catch(() => undefined);
  const html = response?.ok ? await response.text() : shown;
  if (html === shown) {
    return;
  }
  const isFirst = shown === "";
  shown = html;
  // A template of ours, which Django escapes.
  list.innerHTML = html;
  if (!isFirst) {
    const heading = list.querySelector("h3")?.textContent ?? "";
    arrived.textContent = interpolate(gettext("A message has arrived: %s"), [heading]);
  }
}

/** Put a code into the form that waits for one; without such a form, onto the clipboard. */
async function use(code) {
  const input = document.querySelector("#topic [data-takes-code]");
  if (input) {
    input.value = code;
    input.focus();
  } else if (navigator.clipboard) {
    await navigator.clipboard.writeText(code);
    arrived.textContent = gettext("The code is on the clipboard.");
  }
}

list?.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-code]");
  if (button) {
    use(button.dataset.code);
  }
});

if (list?.dataset.url) {
  document.addEventListener("acted", () => LOOKS.forEach((wait) => setTimeout(look, wait)));
  window.addEventListener("focus", look);
  look();
}
