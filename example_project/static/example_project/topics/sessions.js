import { actionCard } from "../action.js";
import { account } from "../api.js";
import { moment, rows } from "../rows.js";

function describe(session) {
  return [
    session.current ? gettext("this session") : "",
    session.provider,
    session.clientName,
    session.osName,
    session.countryName,
    session.ip,
    moment(session.$createdAt),
  ];
}

function ending(session) {
  return actionCard({
    title: gettext("End"),
    values: { sessionId: session.$id },
    run: ({ sessionId }) => account.deleteSession({ sessionId }),
    changesVisitor: true,
  });
}

export default {
  id: "sessions",
  title: gettext("Sessions"),
  about: gettext("Where you are signed in."),
  actions: [
    {
      title: gettext("List my sessions"),
      run: () => account.listSessions(),
      show: ({ sessions }) => rows(sessions, describe, ending),
      runsAtOnce: true,
    },
    {
      title: gettext("End the others"),
      run: async () => {
        const { sessions } = await account.listSessions();
        const others = sessions.filter((session) => !session.current);
        await Promise.all(others.map(({ $id }) => account.deleteSession({ sessionId: $id })));
      },
    },
    {
      title: gettext("Extend this session"),
      run: () => account.updateSession({ sessionId: "current" }),
    },
    {
      title: gettext("Make a short JWT for another service"),
      run: () => account.createJWT({ duration: 300 }),
    },
    {
      title: gettext("End all sessions"),
      run: () => account.deleteSessions(),
      changesVisitor: true,
    },
  ],
};
