import * as vscode from 'vscode';
import { type PickParams, withoutIcons } from './protocol';

/** Asks the user to choose one. Null when the list was closed, or when the server gave up waiting. */
export async function pick(params: PickParams, token?: vscode.CancellationToken): Promise<string | null> {
  const items = params.items.map((item) => ({
    id: item.id,
    label: withoutIcons(item.label),
    description: withoutIcons(item.description ?? ''),
    detail: withoutIcons(item.detail ?? ''),
  }));
  const chosen = await vscode.window.showQuickPick(
    items,
    // Logins open a browser window: the list must still be there afterwards.
    {
      title: params.title,
      placeHolder: params.title,
      matchOnDescription: true,
      matchOnDetail: true,
      ignoreFocusOut: true,
    },
    token,
  );
  return chosen?.id ?? null;
}
