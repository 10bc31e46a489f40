// A QR code as an SVG, for authenticator apps.

import qrcode from "./npm/qrcode.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4;

export function qrCode(text, label) {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  let squares = "";
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      if (code.isDark(row, column)) {
        squares += `M${column} ${row}h1v1h-1z`;
      }
    }
  }
  const svg = document.createElementNS(SVG, "svg");
  const whole = size + 2 * MARGIN;
  svg.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${whole} ${whole}`);
  svg.setAttribute("class", "qr");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", squares);
  svg.append(path);
  return svg;
}
