// Calls an SDK by name. The same code runs under Node.js and in the page in Chromium.

/** Make an SDK's client, as an app does at its start. */
export function openClient(sdk, endpoint, project) {
  const client = new sdk.Client().setEndpoint(endpoint).setProject(project);
  return { ID: sdk.ID, Query: sdk.Query, client, account: new sdk.Account(client) };
}

/** Call `opened[target][method](...args)`; the answer is what it gave, or the error it threw. */
export async function callMethod(opened, target, method, args) {
  try {
    const value = await opened[target][method](...args);
    // Setters give the client itself.
    return { value: value === opened.client ? null : value };
  } catch (error) {
    const { name, message, code, type } = error;
    return { error: { name, message, code, type } };
  }
}
