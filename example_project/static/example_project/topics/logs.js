import { account, Query } from "../api.js";
import { moment, rows } from "../rows.js";

const describe = (entry) => [
  moment(entry.time),
  entry.event,
  entry.clientName,
  entry.osName,
  entry.countryName,
  entry.ip,
];

export default {
  id: "logs",
  title: gettext("Activity"),
  about: gettext("What was done with the account, from where, newest first."),
  actions: [
    {
      title: gettext("Show the log"),
      run: () => account.listLogs({ queries: [Query.limit(20)] }),
      show: ({ logs }) => rows(logs, describe),
      runsAtOnce: true,
    },
  ],
};
