/** What the server and its editors say to each other beyond the Language Server Protocol. */

/** `fluxcd/pick`, a request of the server: choose one. The answer is the id, or null. */
export interface PickParams {
  title: string;
  items: PickItem[];
}

export interface PickItem {
  id: string;
  label: string;
  description?: string;
  detail?: string;
}

/** `fluxcd/token`, a request of the server within *Show Commit Status*: the token for one host, or null. */
export interface TokenParams {
  host: string;
}

/** `fluxcd/details`, a notification of the server: text to show in a document of its own. */
export interface DetailsParams {
  title: string;
  markdown: string;
}

/** `fluxcd/status`, a notification of the server: what the status bar shows. */
export interface StatusParams {
  text: string;
  tooltip: string;
  severity: 'none' | 'ok' | 'warning' | 'error';
  clusters: ClusterStatus[];
  failed: number;
  waiting: number;
  heads: HeadStatus[];
}

/** How the commit stands that is checked out in a repository, over its clusters. */
export interface HeadStatus {
  /** The URI of the repository's folder. */
  root: string;
  name: string;
  commit: string;
  subject: string | null;
  branch: string | null;
  /** One word, of the worst cluster: `failed`, `waiting`, `untold`, `notPushed`, `notFollowed`, `older`, `live`, `nothing`, `notConnected`. */
  state: string;
  /** For the status bar; empty when there is nothing to say. */
  text: string;
  tooltip: string;
  /** With `state` in the words above. */
  clusters: ClusterStatus[];
}

export interface ClusterStatus {
  name: string;
  /** One word: `live`, `connecting`, `checking`, `lastSeen`, `signIn`, `unreachable`, `notFlux`, `recorded`, `idle`. */
  state: string;
  text: string;
}

/** Commands that the server runs (`workspace/executeCommand`). Lenses and code actions carry them. */
export const serverCommand = {
  reconcile: 'fluxcd.reconcile',
  suspend: 'fluxcd.suspend',
  resume: 'fluxcd.resume',
  details: 'fluxcd.details',
  statusAtCursor: 'fluxcd.statusAtCursor',
  goToCause: 'fluxcd.goToCause',
  chooseCluster: 'fluxcd.chooseCluster',
  checkNow: 'fluxcd.checkNow',
  commitStatus: 'fluxcd.commitStatus',
  signIn: 'fluxcd.signIn',
  disconnect: 'fluxcd.disconnect',
} as const;

/**
 * Labels of quick picks and status bar items may hold `$(icon)`. Names and messages that come from a cluster are data, so the
 * sequence is broken up by a character without width.
 */
export function withoutIcons(text: string): string {
  return text.replaceAll('$(', '$\u200b(');
}
