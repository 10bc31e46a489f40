/**
 * An element with attributes and children. Strings become text, never markup.
 *
 * An attribute that is true is there without a value; one that is false or undefined is not.
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) {
      node.setAttribute(key, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== undefined));
  return node;
}
