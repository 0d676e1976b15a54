import * as vscode from 'vscode';
import type { Details } from './details';
import { type ClusterStatus, type DetailsParams, serverCommand, withoutIcons } from './protocol';
import type { Server } from './server';
import type { Status } from './status';

/** Registers what the command palette and the status bar offer. Lenses and code actions carry the server's own commands. */
export function registerCommands(server: Server, status: Status, details: Details): vscode.Disposable {
  const commands: Record<string, () => Promise<unknown> | undefined> = {
    reconcile: () => verb('reconcile', (c) => c.command === serverCommand.reconcile && !withSource(c)),
    reconcileWithSource: () =>
      verb('reconcile with its source', (c) => c.command === serverCommand.reconcile && withSource(c)),
    suspend: () => verb('suspend', (c) => c.command === serverCommand.suspend),
    resume: () => verb('resume', (c) => c.command === serverCommand.resume),
    goToCause: () => verb('go to', (c) => c.command === serverCommand.goToCause),
    statusAtCursor: async () => {
      const at = cursor();
      if (!at) return;
      const position = { line: at.position.line, character: at.position.character };
      const answer = await server.execute(serverCommand.statusAtCursor, { uri: at.uri, position });
      if (isDetails(answer)) await details.show({ ...answer, title: answer.title || 'Flux status' });
    },
    chooseCluster: () => server.execute(serverCommand.chooseCluster, uriArgument()),
    checkNow: () => server.execute(serverCommand.checkNow, uriArgument()),
    commitStatus: () => server.execute(serverCommand.commitStatus, uriArgument()),
    signIn: async () => {
      const cluster = await choose(status.clusters, 'signIn', 'Sign in to which cluster?');
      if (cluster !== null) await server.execute(serverCommand.signIn, cluster && { cluster });
    },
    disconnect: async () => {
      const cluster = await choose(status.clusters, 'live', 'Disconnect from which cluster?');
      if (cluster !== null) await server.execute(serverCommand.disconnect, cluster && { cluster });
    },
    showOutput: async () => server.output.show(),
    restartServer: () => server.restart(),
    menu: () => menu(status),
  };
  return vscode.Disposable.from(
    ...Object.entries(commands).map(([name, run]) =>
      vscode.commands.registerCommand(`fluxcd.editor.${name}`, run),
    ),
  );
}

/**
 * Runs the code action under the cursor that carries the wanted command. The server offers only what is possible and permitted here, so
 * that an action that is not offered need not be explained twice.
 */
async function verb(word: string, wanted: (command: vscode.Command) => boolean): Promise<void> {
  const at = cursor();
  if (!at) return;
  const range = new vscode.Range(at.position, at.position);
  const actions = await vscode.commands.executeCommand<(vscode.CodeAction | vscode.Command)[]>(
    'vscode.executeCodeActionProvider',
    at.uriObject,
    range,
  );
  const found = (actions ?? []).flatMap((action) => {
    const command = typeof action.command === 'string' ? (action as vscode.Command) : action.command;
    return command && wanted(command) ? [{ label: withoutIcons(action.title), command }] : [];
  });
  const [only, another] = found;
  if (!only) {
    const why = 'Status';
    const chosen = await vscode.window.showInformationMessage(`Flux: nothing to ${word} at the cursor.`, why);
    if (chosen === why) await vscode.commands.executeCommand('fluxcd.editor.statusAtCursor');
    return;
  }
  const chosen = another ? await vscode.window.showQuickPick(found, { title: `Flux: ${word}` }) : only;
  if (chosen)
    await vscode.commands.executeCommand(chosen.command.command, ...(chosen.command.arguments ?? []));
}

function withSource(command: vscode.Command): boolean {
  return (command.arguments?.[0] as { withSource?: boolean } | undefined)?.withSource === true;
}

function isDetails(value: unknown): value is DetailsParams {
  return typeof value === 'object' && value !== null && typeof (value as DetailsParams).markdown === 'string';
}

function cursor(): { uri: string; uriObject: vscode.Uri; position: vscode.Position } | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor)
    return {
      uri: editor.document.uri.toString(),
      uriObject: editor.document.uri,
      position: editor.selection.active,
    };
  void vscode.window.showInformationMessage('Flux: open a manifest first.');
  return undefined;
}

function uriArgument(): { uri: string } | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor && { uri: editor.document.uri.toString() };
}

/** A cluster, the only one in the wanted state without asking. Undefined: none is known, the server asks. Null: closed. */
async function choose(
  clusters: ClusterStatus[],
  state: string,
  title: string,
): Promise<string | undefined | null> {
  const wanted = clusters.filter((cluster) => cluster.state === state);
  const from = wanted.length > 0 ? wanted : clusters;
  if (from.length <= 1) return from[0]?.name;
  const items = from.map(({ name, text }) => ({
    label: withoutIcons(name),
    description: withoutIcons(text),
    name,
  }));
  return (await vscode.window.showQuickPick(items, { title }))?.name ?? null;
}

async function menu(status: Status): Promise<void> {
  const entry = (label: string, command: string, detail = '') => ({ label, command, detail });
  const clusters = status.clusters.map(({ name, text }) => ({
    ...entry(withoutIcons(name), 'chooseCluster'),
    description: withoutIcons(text),
  }));
  const separator = { label: '', kind: vscode.QuickPickItemKind.Separator, command: '', detail: '' };
  const needsSignIn = status.clusters.some(({ state }) => state === 'signIn');
  const chosen = await vscode.window.showQuickPick(
    [
      ...clusters,
      separator,
      entry('Choose Cluster…', 'chooseCluster'),
      ...(needsSignIn ? [entry('Sign In', 'signIn')] : []),
      ...(clusters.length > 0 ? [entry('Disconnect', 'disconnect')] : []),
      entry('Check Now', 'checkNow'),
      entry('Status at Cursor', 'statusAtCursor'),
      entry('Show Output', 'showOutput'),
    ],
    { title: 'Flux CD' },
  );
  if (chosen?.command) await vscode.commands.executeCommand(`fluxcd.editor.${chosen.command}`);
}
