import * as vscode from 'vscode';
import { inert } from './inert';
import type { DetailsParams } from './protocol';

const scheme = 'fluxcd-details';

/** Shows texts of the server beside the editor, as a Markdown preview of a document that exists only here. */
export class Details implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;
  private readonly texts = new Map<string, string>();
  readonly onDidChange = this.changed.event;

  constructor() {
    this.registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? 'This text is from an earlier session. Ask for it again.';
  }

  async show({ title, markdown }: DetailsParams): Promise<void> {
    // The path is what the tab is named after.
    const uri = vscode.Uri.from({ scheme, path: `/${title.replaceAll('/', ' ')}.md` });
    const text = inert(markdown);
    if (this.texts.get(uri.toString()) !== text) {
      this.texts.set(uri.toString(), text);
      this.changed.fire(uri);
    }
    await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
