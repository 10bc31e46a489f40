// Measures the mail in each frame: how far it is too wide, what of its text is cut off, on which side
// the heading starts, and the contrast of the faintest text (WCAG 2.2, "contrast ratio").

const rgb = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = (colour) => rgb(colour).slice(0, 3).reduce((sum, value, i) => {
  const part = value / 255;
  return sum + [0.2126, 0.7152, 0.0722][i] * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
}, 0);
const behind = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return rgb(colour)[3] === 0 ? behind(element.parentElement) : colour;
};
const contrast = (element) => {
  const [low, high] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const hasText = (element) => element.checkVisibility() &&
  [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
addEventListener("load", () => {
  const measures = [...document.querySelectorAll("iframe")].map(({ contentDocument: page }) => {
    const heading = page.querySelector("h1");
    const range = page.createRange();
    range.selectNodeContents(heading);
    const [text, card] = [range, heading.parentElement].map((item) => item.getBoundingClientRect());
    const texts = [...page.body.querySelectorAll("*")].filter(hasText);
    return {
      overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
      clipped: texts.filter((item) => item.scrollWidth > item.clientWidth + 1 && item.clientWidth).length,
      atStart: Math.abs(text.left - card.left) < Math.abs(text.right - card.right),
      contrast: Math.min(...texts.map(contrast)),
      background: luminance(getComputedStyle(page.body).backgroundColor),
    };
  });
  const result = document.createElement("output");
  result.textContent = JSON.stringify(measures);
  document.body.append(result);
});
