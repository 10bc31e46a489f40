// The SDK's objects, as every web app makes them.

const { Account, Client, ID, Query } = window.Appwrite;

export const client = new Client()
  .setEndpoint(`${location.origin}/v1`)
  .setProject(document.body.dataset.project)
  .setLocale(document.documentElement.lang); // the language of mails and SMS

export const account = new Account(client);

export { ID, Query };

/** Where links and providers lead back to: a topic of this page, with what they bring in the query. */
export const here = (topic) => `${location.origin}/?topic=${topic}`;
