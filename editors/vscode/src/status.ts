import * as vscode from 'vscode';
import { headOf, joined } from './heads';
import { type ClusterStatus, type HeadStatus, type StatusParams, withoutIcons } from './protocol';
import { get } from './settings';

/** The item in the status bar: how HEAD stands, connection and counts. A click opens a menu. */
export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('fluxcd.status', vscode.StatusBarAlignment.Left);
  private params: StatusParams | undefined;
  private readonly editors = vscode.window.onDidChangeActiveTextEditor(() => this.draw());

  constructor() {
    this.item.name = 'Flux CD';
    this.item.command = 'fluxcd.editor.menu';
  }

  get clusters(): ClusterStatus[] {
    return this.params?.clusters ?? [];
  }

  /** Undefined: no server says anything. */
  update(params: StatusParams | undefined): void {
    this.params = params;
    this.draw();
  }

  draw(): void {
    const params = this.params;
    const placed = (head: HeadStatus) => ({ folder: vscode.Uri.parse(head.root).fsPath, head });
    // A server of the user's own may be older.
    const heads = (params?.heads ?? []).map(placed);
    const head = headOf(heads, vscode.window.activeTextEditor?.document.uri.fsPath);
    const text = joined([head?.text, params?.text], ' · ');
    if (!params || text === '' || get<string>('statusBar', 'auto') === 'off') {
      this.item.hide();
      return;
    }
    const tooltip = joined([head?.text === '' ? '' : head?.tooltip, params.tooltip], '\n\n');
    this.item.text = withoutIcons(text);
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: `${text}. ${tooltip}`, role: 'button' };
    this.item.backgroundColor = {
      none: undefined,
      ok: undefined,
      warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
      error: new vscode.ThemeColor('statusBarItem.errorBackground'),
    }[params.severity];
    this.item.show();
  }

  dispose(): void {
    this.editors.dispose();
    this.item.dispose();
  }
}
