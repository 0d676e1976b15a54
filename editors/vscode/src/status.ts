import * as vscode from 'vscode';
import { type ClusterStatus, type StatusParams, withoutIcons } from './protocol';
import { get } from './settings';

/** The item in the status bar: connection and counts. A click opens a menu. */
export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('fluxcd.status', vscode.StatusBarAlignment.Left);
  private params: StatusParams | undefined;

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
    if (!params || params.text === '' || get<string>('statusBar', 'auto') === 'off') {
      this.item.hide();
      return;
    }
    this.item.text = withoutIcons(params.text);
    this.item.tooltip = params.tooltip;
    this.item.accessibilityInformation = { label: `${params.text}. ${params.tooltip}`, role: 'button' };
    this.item.backgroundColor = {
      none: undefined,
      ok: undefined,
      warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
      error: new vscode.ThemeColor('statusBarItem.errorBackground'),
    }[params.severity];
    this.item.show();
  }

  dispose(): void {
    this.item.dispose();
  }
}
