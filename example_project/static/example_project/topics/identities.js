import { actionCard } from "../action.js";
import { account } from "../api.js";
import { moment, rows } from "../rows.js";

const describe = (identity) => [
  identity.provider,
  identity.providerEmail,
  moment(identity.$createdAt),
];

const unlinking = (identity) =>
  actionCard({
    title: gettext("Unlink"),
    values: { identityId: identity.$id },
    run: ({ identityId }) => account.deleteIdentity({ identityId }),
  });

export default {
  id: "identities",
  title: gettext("Identities"),
  about: gettext("Accounts at providers that sign in to this one. The last way to sign in stays."),
  actions: [
    {
      title: gettext("List my identities"),
      run: () => account.listIdentities(),
      show: ({ identities }) => rows(identities, describe, unlinking),
      runsAtOnce: true,
    },
  ],
};
